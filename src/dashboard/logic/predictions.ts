import type { TimelineBody, TimelineVersion } from '../../admin/contract.ts';
import { total } from '../state/series.ts';

/** What two versions answered over a timeline. Shares are 0..1. */
export interface Predictions {
  /** Answers that were read. */
  readonly stableN: number;
  readonly canaryN: number;
  readonly rows: readonly PredictionRow[];
  /** Half the sum of the differences, 0..1; null: one of them has none. */
  readonly shift: number | null;
}

export interface PredictionRow {
  readonly name: string;
  /** Null: that version has no answers at all. */
  readonly stable: number | null;
  readonly canary: number | null;
  readonly difference: number | null;
}

/** Null: nothing is read of either. */
export function predictionsOf(timeline: TimelineBody, stable: string, canary: string): Predictions | null {
  const stableCounts = countsOf(timeline, stable);
  const canaryCounts = countsOf(timeline, canary);
  const names = [...new Set([...stableCounts.keys(), ...canaryCounts.keys()])];
  const stableN = sum(stableCounts);
  const canaryN = sum(canaryCounts);
  if (stableN + canaryN === 0) return null;
  const rows = names.map((name) =>
    row(name, share(stableCounts, name, stableN), share(canaryCounts, name, canaryN)),
  );
  rows.sort((a, b) => last(a) - last(b) || (b.stable ?? b.canary ?? 0) - (a.stable ?? a.canary ?? 0));
  const both = stableN > 0 && canaryN > 0;
  const shift = both ? rows.reduce((s, { difference }) => s + Math.abs(difference ?? 0), 0) / 2 : null;
  return { stableN, canaryN, rows, shift };
}

function row(name: string, stable: number | null, canary: number | null): PredictionRow {
  return { name, stable, canary, difference: stable === null || canary === null ? null : canary - stable };
}

/** What is no class of its own stands behind all that are. */
function last({ name }: PredictionRow): number {
  return name === 'other' ? 1 : 0;
}

function countsOf(timeline: TimelineBody, version: string): Map<string, number> {
  const classes = timeline.versions.find(({ name }) => name === version)?.classes ?? [];
  return new Map(classes.map(({ name, counts }) => [name, total(counts) ?? 0]));
}

function share(counts: ReadonlyMap<string, number>, name: string, n: number): number | null {
  return n === 0 ? null : (counts.get(name) ?? 0) / n;
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((a, b) => a + b, 0);
}

/** Over all of a timeline, each step by the answers in it; null: none had a confidence. */
export function meanConfidence({ confidence, classes }: TimelineVersion): number | null {
  let weighed = 0;
  let answers = 0;
  for (const [i, value] of confidence.entries()) {
    if (value === null) continue;
    const n = classes.length === 0 ? 1 : classes.reduce((s, { counts }) => s + (counts[i] ?? 0), 0);
    weighed += value * n;
    answers += n;
  }
  return answers === 0 ? null : weighed / answers;
}

/** Pairs of a request and its copy. */
export interface Agreement {
  readonly pairs: number;
  readonly agree: number;
}

/** Null: nothing was compared. */
export function agreementOf({ pairs }: TimelineBody): Agreement | null {
  const agree = total(pairs.agree) ?? 0;
  const all = agree + (total(pairs.disagree) ?? 0);
  return all === 0 ? null : { pairs: all, agree };
}
