import { armOf, type Slice } from '../../../src/core/judge/evidence.ts';
import { sliceOf } from './stream.ts';

/**
 * Users with heavy tails: a few make most of the requests, and some of them fail (or answer) in their own way
 * whatever version serves them. Both versions are the same.
 */
export interface Crowd {
  readonly bucket: Float64Array;
  readonly failRate: Float64Array;
  readonly taste: Uint8Array;
  /** Cumulative activity, the last is 1. */
  readonly reach: Float64Array;
}

export function crowdOf(random: () => number, users: number): Crowd {
  const reach = new Float64Array(users);
  let sum = 0;
  for (let user = 0; user < users; user++) {
    sum += (1 - random()) ** (-1 / 1.2);
    reach[user] = sum;
  }
  for (let user = 0; user < users; user++) reach[user]! /= sum;
  return {
    reach,
    bucket: Float64Array.from({ length: users }, random),
    failRate: Float64Array.from({ length: users }, () => (random() < 0.03 ? 0.4 : 0.001)),
    taste: Uint8Array.from({ length: users }, () => Math.floor(random() * 3)),
  };
}

/** Whose request is next. */
export function whose({ reach }: Crowd, random: () => number): number {
  const u = random();
  let low = 0;
  let high = reach.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (reach[middle]! < u) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface StagePlan {
  readonly w: number;
  readonly slices: number;
  readonly requestsPerSlice: number;
}

/** What counts: a key's first failure and first answer in a stage, or every request. */
export type Firsts = 'stage' | 'request';

/** The slices of a rollout over these stages, as a collector counts them. */
export function crowdSlices(
  crowd: Crowd,
  random: () => number,
  stages: readonly StagePlan[],
  firsts: Firsts,
): Slice[] {
  const slices: Slice[] = [];
  for (const [stage, { w, slices: count, requestsPerSlice }] of stages.entries()) {
    const seen = new Set<number>();
    const failed = new Set<number>();
    for (let i = 0; i < count; i++) {
      const arms = [0, 1].map(() => ({
        requests: 0,
        errors: 0,
        firstErrors: 0,
        keys: 0,
        classes: [0, 0, 0],
      }));
      for (let request = 0; request < requestsPerSlice; request++) {
        const user = whose(crowd, random);
        const arm = arms[crowd.bucket[user]! < w ? 0 : 1]!;
        arm.requests++;
        const answer = random() < 0.7 ? crowd.taste[user]! : Math.floor(random() * 3);
        if (firsts === 'request' || !seen.has(user)) arm.classes[answer]!++;
        if (!seen.has(user)) arm.keys++;
        seen.add(user);
        if (random() >= crowd.failRate[user]!) continue;
        arm.errors++;
        if (firsts === 'request' || !failed.has(user)) arm.firstErrors++;
        failed.add(user);
      }
      const [canary, stable] = arms.map(({ classes: [a, b, c], ...counts }) =>
        armOf({ ...counts, classes: { a: a!, b: b!, c: c! } }),
      );
      slices.push(sliceOf(canary!, stable!, { stage, index: slices.length, w }));
    }
  }
  return slices;
}
