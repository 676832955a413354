import type { Spread } from './stats.ts';

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Whether a target of the bench was reached. */
export interface Verdict {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  readonly met: boolean;
}

/** What one row function brings back. */
export interface Section {
  readonly title: string;
  /** Sentences under the table: conditions and doubts. */
  readonly notes: readonly string[];
  readonly table: Table;
  readonly verdicts: readonly Verdict[];
  /** Raw figures for `--json`. */
  readonly data: unknown;
}

/** A Markdown table: the first column to the left, the others to the right. */
export function renderTable({ head, rows }: Table): string {
  const widths = head.map((_, i) => Math.max(3, ...[head, ...rows].map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, i) => pad(cells[i] ?? '', width, i)).join(' | ')} |`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

function pad(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width);
}

export function renderSection(section: Section): string {
  const notes = section.notes.map((note) => `- ${note}`).join('\n');
  return `### ${section.title}\n\n${renderTable(section.table)}\n${notes === '' ? '' : `\n${notes}\n`}`;
}

export function renderVerdicts(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map((one) => [one.what, one.target, one.measured, one.met ? 'met' : '**missed**']);
  return `### Targets\n\n${renderTable({ head: ['what', 'target', 'measured', ''], rows })}\n`;
}

export function number(value: number, digits = 0): string {
  if (!Number.isFinite(value)) return '–';
  const [whole = '', fraction] = value.toFixed(digits).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** `31.2 (30.8–33.0)` */
export function withSpread({ median, min, max }: Spread, digits = 0): string {
  return `${number(median, digits)} (${number(min, digits)}–${number(max, digits)})`;
}

export function mib(bytes: number, digits = 0): string {
  return number(bytes / 1024 / 1024, digits);
}
