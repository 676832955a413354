import { plain } from './terminal.ts';

/** A finished line and how it stands out where colours are to be had. */
export interface Line {
  readonly text: string;
  readonly tone: Tone;
}
export type Tone = 'plain' | 'dim' | 'bold' | 'good' | 'warn' | 'bad';

export function line(text: string, tone: Tone = 'plain'): Line {
  return { text: plain(text).trimEnd(), tone };
}

export const BLANK: Line = { text: '', tone: 'plain' };

export interface Row {
  readonly cells: readonly string[];
  readonly tone?: Tone;
  /** Lines that belong under it and take no part in the columns. */
  readonly below?: readonly Line[];
}

/** Rows in columns two spaces apart; columns in `right` are flush right, the others flush left. */
export function rows(indent: number, right: ReadonlySet<number>, table: readonly Row[]): Line[] {
  const widths: number[] = [];
  const cleaned = table.map((row) => ({ ...row, cells: row.cells.map(plain) }));
  for (const { cells } of cleaned) {
    cells.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return cleaned.flatMap(({ cells, tone, below = [] }) => {
    const padded = cells.map((cell, column) => {
      const width = widths[column] ?? 0;
      return right.has(column) ? cell.padStart(width) : cell.padEnd(width);
    });
    return [line(' '.repeat(indent) + padded.join('  '), tone), ...below];
  });
}

/** A paragraph, broken between words so that no line is longer than `width`, indent included; a longer word stays whole. */
export function wrap(indent: number, width: number, text: string, tone?: Tone): Line[] {
  const lines: string[] = [];
  let current = '';
  for (const word of plain(text).split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`;
    if (current !== '' && indent + longer.length > width) {
      lines.push(current);
      current = word;
    } else current = longer;
  }
  return [...lines, current].map((one) => line(' '.repeat(indent) + one, tone));
}

const PAINT: Readonly<Record<Tone, string>> = {
  plain: '',
  dim: '\x1b[2m',
  bold: '\x1b[1m',
  good: '\x1b[32m',
  warn: '\x1b[33m',
  bad: '\x1b[31m',
};

/** Cut to the terminal's width, since a wrapped line could not be drawn over. */
export function paint({ text, tone }: Line, columns: number, colour: boolean): string {
  const room = Math.max(0, columns - 1);
  const letters = [...text];
  const cut = letters.length <= room ? text : room === 0 ? '' : `${letters.slice(0, room - 1).join('')}…`;
  return colour && PAINT[tone] !== '' && cut !== '' ? `${PAINT[tone]}${cut}\x1b[0m` : cut;
}
