import type { HistoryBody, RolloutBody } from '../../src/admin/contract.ts';
import type { MetricState, RunState } from '../../src/core/analysis/state.ts';
import type { RolloutState } from '../../src/core/rollout/state.ts';
import { bucketOfKey } from '../../src/core/split/hash.ts';
import type { Asked } from './rollout-fleet.ts';

/** What must hold between two looks at one rollout, of which the process may have been killed in between. */

export type Life = { readonly fromWallMs: number; readonly toWallMs: number };

/** How far it has come, as a number that never falls; an abort is a state of its own. */
export function positionOf({ progress }: RolloutState): number {
  switch (progress.kind) {
    case 'stepping':
      return progress.index;
    case 'completed':
      return Number.POSITIVE_INFINITY;
    default:
      return -2;
  }
}

export function isUnderWay({ progress }: RolloutState): boolean {
  return progress.kind === 'starting' || progress.kind === 'stepping';
}

/** On the rollout's clock; null outside of a timed pause. */
export function remainingMs(state: RolloutState, pausesMs: readonly (number | null)[]): number | null {
  const { progress } = state;
  const lasts = progress.kind === 'stepping' ? pausesMs[progress.index] : null;
  return progress.kind !== 'stepping' || lasts === null || lasts === undefined
    ? null
    : progress.enteredAtMs + lasts - state.clockMs;
}

export function runsOf({ background, progress }: RolloutState): readonly RunState[] {
  const own = progress.kind === 'stepping' ? progress.runs : [];
  return background === null ? own : [background, ...own];
}

const COUNTS = ['successful', 'failed', 'inconclusive', 'error', 'noData'] as const;

type Counts = Pick<MetricState, (typeof COUNTS)[number]>;

/** Counts of a metric that are lower now, as text. */
export function lostCounts(what: string, before: Counts, after: Counts | undefined): string[] {
  return COUNTS.filter((count) => (after?.[count] ?? 0) < before[count]).map(
    (count) => `${what}: ${count} fell from ${before[count]} to ${after?.[count]}`,
  );
}

/** What fell or was lost between two states of one rollout of which the second is later. */
export function lostBetween(before: RolloutState, after: RolloutState): string[] {
  const lost: string[] = [];
  if (positionOf(after) < positionOf(before) && after.progress.kind !== 'aborted') {
    lost.push(`it went back from ${JSON.stringify(before.progress)} to ${JSON.stringify(after.progress)}`);
  }
  if (before.progress.kind === 'aborted' && after.progress.kind !== 'aborted') lost.push('the abort is gone');
  if (after.clockMs < before.clockMs) lost.push(`its clock fell from ${before.clockMs} to ${after.clockMs}`);
  lost.push(...lostHistory(before.history.map(textOf), after.history.map(textOf)));
  for (const run of runsOf(before)) {
    const later = runsOf(after).find(({ id }) => id === run.id);
    // A background run lasts as long as the steps do, any other as long as its own step.
    const goesOn = after.progress.kind === 'stepping' && run.id === before.background?.id;
    if (later === undefined && (goesOn || positionOf(before) === positionOf(after))) {
      lost.push(`run ${run.id}, ${run.label}, is gone`);
    }
    if (later === undefined) continue;
    for (const metric of run.metrics) {
      const same = later.metrics.find(({ name }) => name === metric.name);
      lost.push(...lostCounts(`${run.label}, ${metric.name}`, metric, same));
    }
  }
  return lost;
}

/** Entries of an earlier history that the later one has not, at the same place. */
export function lostHistory(before: readonly string[], after: readonly string[]): string[] {
  return before.flatMap((entry, i) =>
    after[i] === entry ? [] : [`entry ${i} was ${entry}, is ${after[i]}`],
  );
}

type ViewEntry = HistoryBody['history'][number];

export function textOf(entry: RolloutState['history'][number] | ViewEntry): string {
  const { number, kind, actor, cause, step, weight, evidence } = entry;
  const at = 'at' in entry ? entry.at : new Date(entry.wallMs).toISOString();
  return JSON.stringify([at, number, kind, actor, cause, step, weight, evidence]);
}

/** What a client had been shown and is not stored. */
export function lostOfView(view: RolloutBody, stored: RolloutState): string[] {
  const lost: string[] = [];
  if (view.step !== null && positionOf(stored) < view.step && stored.progress.kind !== 'aborted') {
    lost.push(`step ${view.step} was shown, ${positionOf(stored)} is stored`);
  }
  if (view.status === 'aborted' && stored.progress.kind !== 'aborted') lost.push('the abort is not stored');
  if (view.step !== positionOf(stored)) return lost;
  for (const analysis of view.analyses) {
    const run = runsOf(stored).find(({ label }) => label === analysis.label);
    for (const metric of analysis.metrics) {
      const same = run?.metrics.find(({ name }) => name === metric.name);
      lost.push(...lostCounts(`${analysis.label}, ${metric.name}`, metric, same));
    }
  }
  return lost;
}

/** The weights that were in force from one state to a later one, percent. */
export function weightsBetween(before: RolloutState, after: RolloutState, now: number): number[] {
  return [now, ...after.history.slice(before.history.length).map(({ weight }) => weight)];
}

/** Answers that none of these weights explains, as text. */
export function unexplained(
  service: string,
  asked: readonly Asked[],
  weights: readonly number[],
): readonly string[] {
  return asked
    .filter(({ key, status, version }) => {
      const bucket = bucketOfKey(service, key);
      const versions: readonly string[] = weights.map((weight) => (bucket < weight * 100 ? 'v2' : 'v1'));
      return status !== 200 || !versions.includes(version);
    })
    .map(
      ({ key, status, version }) => `${service} ${key}: ${status} ${version} at ${weights.join(' or ')} %`,
    );
}

/** How much of a span of wall time somebody watched. */
export function watchedMs(lives: readonly Life[], fromWallMs: number, toWallMs: number): number {
  return lives.reduce(
    (sum, life) =>
      sum + Math.max(0, Math.min(toWallMs, life.toWallMs) - Math.max(fromWallMs, life.fromWallMs)),
    0,
  );
}
