import { type VersionReport, WINDOW_S } from './crowd-stats.ts';
import { SPECIES } from './iris-data.ts';
import { BLANK, type Line, row, table } from './lines.ts';
import type { Rollout } from './rollout.ts';
import { drawRollout, rolloutText } from './rollout-lines.ts';

export interface Picture {
  readonly elapsedMs: number;
  readonly reports: readonly VersionReport[];
  readonly heldBack: number;
  /** `stable`, `canary`, by version. */
  readonly roles: ReadonlyMap<string, string>;
  readonly mirror: MirrorCounts | null;
  /** Null: there is none, or it is not known yet. */
  readonly rollout: Rollout | null;
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
    ...drawRollout(picture.rollout),
    BLANK,
    ...drawTraffic(picture),
    BLANK,
    ...drawAnswers(picture),
    BLANK,
    { text: `  ${footer(picture)}`, tone: 'dim' },
    { text: `  share, p50, p99 and answers: of the last ${WINDOW_S} s`, tone: 'dim' },
  ];
}

/** The same on one line, for logs and pipes. */
export function drawLine({ elapsedMs, reports, heldBack, rollout }: Picture): string {
  const all = recentTotal(reports);
  const parts = reports.map(
    (report) =>
      `${report.version ?? 'no version'}: ${report.requests} (${percent(report.recent.requests, all, 1)})` +
      `, 5xx ${report.byClass[5]}${report.lost > 0 ? `, lost ${report.lost}` : ''}` +
      `, p50 ${milliseconds(report.recent.p50Ms)}, p99 ${milliseconds(report.recent.p99Ms)}`,
  );
  const held = heldBack > 0 ? [`held back: ${heldBack}`] : [];
  const walk = rollout === null ? [] : [rolloutText(rollout)];
  const told = [...walk, ...(parts.length > 0 ? parts : ['no answers yet']), ...held];
  return `${clock(elapsedMs)}  ${told.join('  |  ')}`;
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
