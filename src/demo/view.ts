import { type VersionReport, WINDOW_S } from './crowd-stats.ts';
import { SPECIES } from './iris-data.ts';

/** A finished line and how it stands out where colours are to be had. */
export interface Line {
  readonly text: string;
  readonly tone: Tone;
}
export type Tone = 'plain' | 'dim' | 'bold' | 'bad';

export interface Picture {
  readonly elapsedMs: number;
  readonly reports: readonly VersionReport[];
  readonly heldBack: number;
  /** `stable`, `canary`, by version. */
  readonly roles: ReadonlyMap<string, string>;
  readonly mirror: MirrorCounts | null;
}

export interface MirrorCounts {
  readonly to: string;
  readonly ok: number;
  readonly failed: number;
  readonly dropped: number;
}

/** The whole live view, at most 79 columns wide. */
export function drawTables(picture: Picture): Line[] {
  return [
    { text: '', tone: 'plain' },
    ...drawTraffic(picture),
    { text: '', tone: 'plain' },
    ...drawAnswers(picture),
    { text: '', tone: 'plain' },
    { text: `  ${footer(picture)}`, tone: 'dim' },
    { text: `  share, p50, p99 and answers: of the last ${WINDOW_S} s`, tone: 'dim' },
  ];
}

/** The same on one line, for logs and pipes. */
export function drawLine({ elapsedMs, reports, heldBack }: Picture): string {
  const all = recentTotal(reports);
  const parts = reports.map(
    (report) =>
      `${report.version ?? 'no version'}: ${report.requests} (${percent(report.recent.requests, all, 1)})` +
      `, 5xx ${report.byClass[5]}${report.lost > 0 ? `, lost ${report.lost}` : ''}` +
      `, p50 ${milliseconds(report.recent.p50Ms)}, p99 ${milliseconds(report.recent.p99Ms)}`,
  );
  const held = heldBack > 0 ? [`held back: ${heldBack}`] : [];
  return [`${clock(elapsedMs)}  ${parts[0] ?? 'no answers yet'}`, ...parts.slice(1), ...held].join('  |  ');
}

export const ERASE_BELOW = '\x1b[0J';
export const HIDE_CURSOR = '\x1b[?25l';
export const SHOW_CURSOR = '\x1b[?25h';

const PAINT: Readonly<Record<Tone, string>> = {
  plain: '',
  dim: '\x1b[2m',
  bold: '\x1b[1m',
  bad: '\x1b[31m',
};

/** Cut to the terminal's width, since a wrapped line could not be drawn over. */
export function paint(line: Line, columns: number, colour: boolean): string {
  const text = line.text.slice(0, Math.max(0, columns - 1));
  return colour && PAINT[line.tone] !== '' ? `${PAINT[line.tone]}${text}\x1b[0m` : text;
}

export function upBy(lines: number): string {
  return lines > 0 ? `\x1b[${lines}A\r` : '\r';
}

const TRAFFIC_WIDTHS = [16, 9, 9, 8, 6, 6, 6, 8, 9];

function drawTraffic({ reports, roles }: Picture): Line[] {
  const all = recentTotal(reports);
  const header = ['version', 'requests', 'share', '2xx', '4xx', '5xx', 'lost', 'p50', 'p99'];
  const rows = reports.map(({ version, requests, byClass, lost, recent }) => ({
    text: row(TRAFFIC_WIDTHS, [
      label(version, roles),
      String(requests),
      percent(recent.requests, all, 1),
      String(byClass[2]),
      String(byClass[4]),
      String(byClass[5]),
      String(lost),
      milliseconds(recent.p50Ms),
      milliseconds(recent.p99Ms),
    ]),
    tone: recent.failures > 0 ? ('bad' as const) : ('plain' as const),
  }));
  return table(TRAFFIC_WIDTHS, header, rows);
}

const ANSWER_WIDTHS = [16, 9, 12, 11, 12, 12];

function drawAnswers({ reports, roles }: Picture): Line[] {
  const header = ['answers', ...SPECIES, 'confidence', 'right'];
  const rows = reports
    .filter(({ recent }) => recent.shares !== null)
    .map(({ version, recent }) => ({
      text: row(ANSWER_WIDTHS, [
        label(version, roles),
        ...(recent.shares ?? []).map((share) => percent(share, 1, 0)),
        percent(recent.meanConfidence, 1, 1),
        percent(recent.accuracy, 1, 1),
      ]),
      tone: 'plain' as const,
    }));
  return table(ANSWER_WIDTHS, header, rows);
}

function table(widths: readonly number[], header: readonly string[], rows: readonly Line[]): Line[] {
  const rule = `  ${'─'.repeat(widths.reduce((a, b) => a + b, 0))}`;
  return [{ text: row(widths, header), tone: 'bold' }, { text: rule, tone: 'dim' }, ...rows];
}

/** The first cell to the left, all others to the right. */
function row(widths: readonly number[], cells: readonly string[]): string {
  const padded = cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)));
  return `  ${padded.join('')}`;
}

function footer({ elapsedMs, heldBack, mirror }: Picture): string {
  return [
    clock(elapsedMs),
    ...(mirror
      ? [`mirrored to ${mirror.to}: ${mirror.ok} ok, ${mirror.failed} failed, ${mirror.dropped} dropped`]
      : []),
    ...(heldBack > 0 ? [`held back: ${heldBack}`] : []),
  ].join(' · ');
}

function label(version: string | null, roles: ReadonlyMap<string, string>): string {
  if (version === null) return '(no version)';
  const role = roles.get(version);
  return role === undefined ? version.slice(0, 14) : `${version} ${role}`;
}

function recentTotal(reports: readonly VersionReport[]): number {
  return reports.reduce((sum, { recent }) => sum + recent.requests, 0);
}

function percent(part: number | null, whole: number, decimals: number): string {
  return part === null || whole === 0 ? '-' : `${((part / whole) * 100).toFixed(decimals)} %`;
}

function milliseconds(ms: number | null): string {
  if (ms === null) return '-';
  return ms < 100 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}
