/** A finished line and how it stands out where colours are to be had. */
export interface Line {
  readonly text: string;
  readonly tone: Tone;
}
export type Tone = 'plain' | 'dim' | 'bold' | 'good' | 'warn' | 'bad';

export const BLANK: Line = { text: '', tone: 'plain' };

export const ERASE_BELOW = '\x1b[0J';
export const ERASE_LINE_END = '\x1b[K';
export const HIDE_CURSOR = '\x1b[?25l';
export const SHOW_CURSOR = '\x1b[?25h';

const PAINT: Readonly<Record<Tone, string>> = {
  plain: '',
  dim: '\x1b[2m',
  bold: '\x1b[1m',
  good: '\x1b[32m',
  warn: '\x1b[33m',
  bad: '\x1b[31m',
};

/** Cut to the terminal's width, since a wrapped line could not be drawn over. */
export function paint(line: Line, columns: number, colour: boolean): string {
  const text = line.text.slice(0, Math.max(0, columns - 1));
  return colour && PAINT[line.tone] !== '' ? `${PAINT[line.tone]}${text}\x1b[0m` : text;
}

/** At most `rows` of them: what scrolled off the top of a terminal could not be drawn over. */
export function fit(lines: readonly Line[], rows: number): readonly Line[] {
  const room = Math.max(1, rows - 1);
  if (lines.length <= room) return lines;
  const left = lines.length - room + 1;
  return [...lines.slice(0, room - 1), { text: `  ${left} more lines in a higher window`, tone: 'dim' }];
}

export function upBy(lines: number): string {
  return lines > 0 ? `\x1b[${lines}A\r` : '\r';
}

export function table(widths: readonly number[], header: readonly string[], rows: readonly Line[]): Line[] {
  const rule = `  ${'─'.repeat(widths.reduce((a, b) => a + b, 0))}`;
  return [{ text: row(widths, header), tone: 'bold' }, { text: rule, tone: 'dim' }, ...rows];
}

/** The first cell to the left, all others to the right. */
export function row(widths: readonly number[], cells: readonly string[]): string {
  const padded = cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)));
  return `  ${padded.join('')}`;
}

/** Words in lines of at most `width` characters; a longer word is cut. What is over goes, marked by an ellipsis. */
export function wrap(text: string, width: number, maxLines: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(/\s+/).filter((each) => each !== '')) {
    const last = lines.at(-1)!;
    const longer = last === '' ? word : `${last} ${word}`;
    if (longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  const cut = lines.filter((line) => line !== '').map((line) => shorten(line, width));
  if (cut.length <= maxLines) return cut;
  return [...cut.slice(0, maxLines - 1), shorten(`${cut[maxLines - 1]} …`, width)];
}

export function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1).trimEnd()}…`;
}
