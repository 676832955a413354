import type { TimelineBody, TimelinePoint, TimelineVersion } from '../../admin/contract.ts';

/** Columns of a timeline, as they grow. */

type Column = readonly (number | null)[];

/** Of one second each. */
const MAX_COLUMNS = 900;
/** A longer silence than this many steps is drawn as a gap. */
const GAP_STEPS = 2.5;

/** Whether a point is the next one: nothing was missed, and the clock was not set. */
export function follows({ atMs, stepMs }: TimelineBody, point: TimelinePoint): boolean {
  const lastMs = atMs.at(-1);
  if (lastMs === undefined) return true;
  return point.atMs >= lastMs && point.atMs - lastMs <= stepMs * GAP_STEPS;
}

/** The timeline with one more point; the very same where the point is not newer. */
export function appended(timeline: TimelineBody, point: TimelinePoint): TimelineBody {
  const lastMs = timeline.atMs.at(-1);
  if (lastMs !== undefined && point.atMs <= lastMs) return timeline;
  const isGap = lastMs !== undefined && point.atMs - lastMs > timeline.stepMs * GAP_STEPS;
  const withGap = isGap ? grown(timeline, blankPoint(timeline, lastMs + timeline.stepMs)) : timeline;
  return grown(withGap, point);
}

function blankPoint({ service }: TimelineBody, atMs: number): TimelinePoint {
  return { service, atMs, versions: [], pairs: { agree: null, disagree: null } };
}

function grown(timeline: TimelineBody, point: TimelinePoint): TimelineBody {
  const length = timeline.atMs.length;
  const names = [
    ...timeline.versions.map(({ name }) => name),
    ...point.versions
      .map(({ name }) => name)
      .filter((name) => !timeline.versions.some((v) => v.name === name)),
  ];
  return {
    ...timeline,
    atMs: [...timeline.atMs, point.atMs].slice(-MAX_COLUMNS),
    versions: names.map((name) => grownVersion(timeline, point, name, length)),
    pairs: {
      agree: plus(timeline.pairs.agree, point.pairs.agree),
      disagree: plus(timeline.pairs.disagree, point.pairs.disagree),
    },
  };
}

function grownVersion(
  timeline: TimelineBody,
  point: TimelinePoint,
  name: string,
  length: number,
): TimelineVersion {
  const before = timeline.versions.find((version) => version.name === name);
  const now = point.versions.find((version) => version.name === name);
  const column = (key: 'weight' | 'ratePerS' | 'errorShare' | 'p50Ms' | 'p99Ms' | 'confidence') =>
    plus(before?.[key] ?? nulls(length), now?.[key] ?? null);
  return {
    name,
    weight: column('weight'),
    ratePerS: column('ratePerS'),
    errorShare: column('errorShare'),
    p50Ms: column('p50Ms'),
    p99Ms: column('p99Ms'),
    confidence: column('confidence'),
    classes: grownClasses(before?.classes ?? [], now?.classes ?? null, length),
  };
}

function grownClasses(
  before: TimelineVersion['classes'],
  now: Readonly<Record<string, number>> | null,
  length: number,
): TimelineVersion['classes'] {
  const added = Object.keys(now ?? {}).filter((name) => !before.some((known) => known.name === name));
  return [...before, ...added.map((name) => ({ name, counts: nulls(length) }))].map(({ name, counts }) => ({
    name,
    counts: plus(counts, now === null ? null : (now[name] ?? 0)),
  }));
}

function plus(column: Column, value: number | null): Column {
  return [...column, value].slice(-MAX_COLUMNS);
}

function nulls(length: number): Column {
  return Array<null>(length).fill(null);
}

/** Of what is known; null: nothing is. */
export function total(column: Column): number | null {
  let sum: number | null = null;
  for (const value of column) if (value !== null) sum = (sum ?? 0) + value;
  return sum;
}

/** The last value that is known, among the last few: a second without requests is no reason to forget. */
export function latest(column: Column, within = 5): number | null {
  for (let i = column.length - 1; i >= Math.max(0, column.length - within); i--) {
    const value = column[i] ?? null;
    if (value !== null) return value;
  }
  return null;
}

/**
 * The mean of each step and those before it, `steps` in all, weighed by `weights`: what a second with three requests
 * says alone is noise. Where a step has no value there is none.
 */
export function smoothed(column: Column, weights: Column, steps: number): (number | null)[] {
  return column.map((value, i) => {
    if (value === null) return null;
    let sum = 0;
    let all = 0;
    for (let k = Math.max(0, i - steps + 1); k <= i; k++) {
      const one = column[k] ?? null;
      const weight = weights[k] ?? 0;
      if (one === null || weight <= 0) continue;
      sum += one * weight;
      all += weight;
    }
    return all === 0 ? value : sum / all;
  });
}
