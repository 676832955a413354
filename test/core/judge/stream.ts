import {
  type Arm,
  addArms,
  armOf,
  EMPTY_ARM,
  type Evidence,
  emptyEvidence,
  type Slice,
} from '../../../src/core/judge/evidence.ts';
import type { GateSpec, JudgeContext, JudgePlan } from '../../../src/core/judge/gates.ts';

/** Seeded numbers in [0,1) (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How many of `n` happen with probability `p`: by inversion, or the normal law where that would be slow. */
export function binomial(random: () => number, n: number, p: number): number {
  if (p <= 0 || n <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - binomial(random, n, 1 - p);
  if (n * p > 400) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.min(n, Math.max(0, Math.round(n * p + normal * Math.sqrt(n * p * (1 - p)))));
  }
  let u = random();
  let term = (1 - p) ** n;
  let k = 0;
  while (u > term && k < n) {
    u -= term;
    k++;
    term *= ((n - k + 1) / k) * (p / (1 - p));
  }
  return k;
}

/** Counts by class of `n` draws. */
export function multinomial(random: () => number, n: number, shares: readonly number[]): number[] {
  let left = n;
  let mass = 1;
  return shares.map((share) => {
    const k = mass <= 0 ? 0 : binomial(random, left, Math.min(1, share / mass));
    left -= k;
    mass -= share;
    return k;
  });
}

export const EDGES_MS = [50, 100, 200, 400, 1000] as const;

export const SUCCESS = { kind: 'successRate', name: 'success', atLeast: 0.99, tolerate: 1 } as const;
export const P99 = { kind: 'latency', name: 'p99', quantile: 0.99, thresholdMs: 200, delta: 0.25 } as const;
export const SHIFT = { kind: 'predictionShift', name: 'shift', atMost: 0.1 } as const;
export const SURE = { kind: 'confidence', name: 'sure', mean: 0.7 } as const;
export const AGREE = { kind: 'agreement', name: 'agree', atLeast: 0.95 } as const;
export const CLICKS = { kind: 'kpi', name: 'ctr', kpi: 'click', within: 0.05 } as const;
export const ALL_GATES: readonly GateSpec[] = [SUCCESS, P99, SHIFT, SURE, AGREE, CLICKS];

export function planOf(...gates: GateSpec[]): JudgePlan {
  return { gates, alpha: 0.01, beta: 0.01, minSamples: 50 };
}

export function contextOf(changes: Partial<JudgeContext> = {}): JudgeContext {
  return { ratePerS: 100, nextW: null, latched: [], ...changes };
}

/** `n` requests of which `k` failed; without keys. */
export function failing(k: number, n: number): Arm {
  return armOf({ requests: n, errors: k, firstErrors: k, keys: n });
}

export function sliceOf(canary: Arm, stable: Arm, changes: Partial<Slice> = {}): Slice {
  return { stage: 1, index: 0, w: 0.05, spanMs: 60_000, canary, stable, ...changes };
}

export function evidenceOf(...slices: Slice[]): Evidence {
  return { ...emptyEvidence(EDGES_MS), slices };
}

/** One request's counts on one arm. */
export interface Happening {
  readonly stage: number;
  readonly index: number;
  readonly w: number;
  readonly canary: boolean;
  readonly arm: Arm;
}

/** Requests with everything a gate may read, over some stages of some slices. */
export function happenings(seed: number, count: number): Happening[] {
  const random = randomFrom(seed);
  const weights = [0.05, 0.25, 0.5];
  return Array.from({ length: count }, (_, i) => {
    const index = Math.floor((i * 9) / count);
    const stage = Math.floor(index / 3);
    const w = weights[stage]!;
    const canary = random() < w;
    const failed = random() < 0.02 ? 1 : 0;
    const slow = random() < 0.03 ? 1 : 0;
    const confidence = Array(256).fill(0);
    confidence[Math.floor(256 * (0.6 + 0.4 * random()))] = 1;
    const clicked = random() < 0.1 ? 1 : 0;
    const arm = armOf({
      requests: 1,
      errors: failed,
      firstErrors: failed,
      keys: 1,
      latency: slow === 1 ? [0, 0, 0, 1] : [0, 1],
      firstSlow: { p99: slow, 'p99/frozen': slow },
      slowBursts: slow === 1 && random() < 0.3 ? { p99: { events: 1, bursts: 1, wide: 0 } } : {},
      classes: { [`c${Math.floor(random() * 4)}`]: 1 },
      confidence,
      firstUnsure: { sure: random() < 0.1 ? 1 : 0 },
      kpis: { click: { events: clicked, firsts: clicked } },
    });
    return { stage, index, w, canary, arm };
  });
}

/** What a collector that saw these makes of them. */
export function collect(seen: readonly Happening[]): Evidence {
  const slices = new Map<number, Slice>();
  for (const { stage, index, w, canary, arm } of seen) {
    const slice = slices.get(index) ?? sliceOf(EMPTY_ARM, EMPTY_ARM, { stage, index, w });
    const side = canary ? 'canary' : 'stable';
    slices.set(index, { ...slice, [side]: addArms(slice[side], arm) });
  }
  const ordered = [...slices.values()].sort((a, b) => a.index - b.index);
  return {
    ...emptyEvidence(EDGES_MS),
    slices: ordered,
    shadow: { agree: 0, disagree: 0, refused: 0, incomparable: 0 },
  };
}
