import type { Estimate, Weighing } from './gates.ts';
import { rateInterval } from './kernels/interval.ts';
import { logSampleRatio, SAMPLE_RATIO_ALPHA } from './kernels/sample-ratio.ts';
import { count, duration, evidence, percent } from './words.ts';

/** An A/B test on the gateway's split: the same shares for its whole length, and no rollback of its own. */
export interface ExperimentPlan {
  readonly kpi: string;
  /** Greatest probability of a wrong winner, over all variants and for all time (.05). */
  readonly alpha: number;
  /** Equal means: no further apart than this (.05). */
  readonly within: number;
  /** The variant that the others are compared with. */
  readonly control: string;
  /** All variants, control included; shares sum to 1. */
  readonly variants: readonly { readonly name: string; readonly share: number }[];
}

/** A variant's keys, and how many of them had the event at least once. */
export interface VariantCounts {
  readonly keys: number;
  readonly firsts: number;
}

export type VariantState = 'better' | 'worse' | 'equivalent' | 'continue';

export interface VariantVerdict {
  readonly name: string;
  readonly state: VariantState;
  /** How often the event happens, in relation to control's; null without any event. */
  readonly ratio: Estimate | null;
  readonly conversion: Estimate | null;
  /** If it goes on like this; null: not foreseeable. */
  readonly remainingMs: number | null;
  readonly text: string;
}

export interface ExperimentVerdict {
  readonly state: 'winner' | 'equivalent' | 'continue' | 'ERROR';
  readonly winner: string | null;
  readonly variants: readonly VariantVerdict[];
  readonly sampleRatio: Weighing;
  readonly remainingMs: number | null;
  readonly text: string;
}

/** Strength of the belief, before any data, that there is no difference. */
const KAPPA = 100;
/** Nobody waits for a hundred times as long as it has taken. */
const MAX_GROWTH = 100;

/** What the experiment shows after `elapsedMs`. Valid however often and whenever it is asked. */
export function judgeExperiment(
  plan: ExperimentPlan,
  counts: Readonly<Record<string, VariantCounts>>,
  elapsedMs: number,
): ExperimentVerdict {
  const of = (name: string): VariantCounts =>
    Object.hasOwn(counts, name) ? counts[name]! : { keys: 0, firsts: 0 };
  const control = plan.variants.find(({ name }) => name === plan.control);
  const others = plan.variants.filter(({ name }) => name !== plan.control);
  const sampleRatio = {
    logE: logSampleRatio(
      plan.variants.map(({ name }) => of(name).keys),
      plan.variants.map(({ share }) => share),
    ),
    needed: Math.log(1 / SAMPLE_RATIO_ALPHA),
  };
  const alpha = plan.alpha / Math.max(1, others.length);
  const variants = others.map(({ name, share }) => {
    const w = share / (share + (control?.share ?? 0));
    return variantVerdict(plan, { name, w, alpha, elapsedMs }, of(name), of(plan.control));
  });
  return { ...conclude(plan, variants, sampleRatio), variants, sampleRatio };
}

/**
 * The interval of the ratio that holds at all times: what is not excluded at alpha by a beta mixture over the
 * probability that an event is the variant's (Lindon and Malek 2022).
 */
export function ratioInterval(
  kv: number,
  kc: number,
  w: number,
  alpha: number,
): { low: number; high: number } {
  const { low, high } = rateInterval(kv, kv + kc, alpha, { a: KAPPA * w, b: KAPPA * (1 - w) });
  const ratio = (theta: number) => (theta >= 1 ? Number.MAX_VALUE : (theta * (1 - w)) / ((1 - theta) * w));
  return { low: ratio(low), high: ratio(high) };
}

interface Comparison {
  readonly name: string;
  readonly w: number;
  readonly alpha: number;
  readonly elapsedMs: number;
}

function variantVerdict(
  plan: ExperimentPlan,
  { name, w, alpha, elapsedMs }: Comparison,
  own: VariantCounts,
  control: VariantCounts,
): VariantVerdict {
  const stateWith = (growth: number): VariantState =>
    classify(ratioInterval(own.firsts * growth, control.firsts * growth, w, alpha), plan.within);
  const state = stateWith(1);
  const n = own.firsts + control.firsts;
  const value =
    own.firsts === 0 || control.firsts === 0 ? null : (own.firsts / control.firsts) * ((1 - w) / w);
  const ratio = value === null ? null : { value, ...ratioInterval(own.firsts, control.firsts, w, alpha), n };
  const remainingMs = state !== 'continue' ? 0 : n === 0 ? null : remaining(stateWith, elapsedMs);
  return {
    name,
    state,
    ratio,
    conversion: own.keys === 0 ? null : conversionOf(own, alpha),
    remainingMs,
    text: variantText(plan, name, state, ratio, remainingMs),
  };
}

function conversionOf({ keys, firsts }: VariantCounts, alpha: number): Estimate {
  const k = Math.min(firsts, keys);
  return { value: k / keys, ...rateInterval(k, keys, alpha), n: keys };
}

function classify({ low, high }: { low: number; high: number }, within: number): VariantState {
  if (low >= 1 - within && high <= 1 + within) return 'equivalent';
  if (low > 1) return 'better';
  return high < 1 ? 'worse' : 'continue';
}

function remaining(stateWith: (growth: number) => VariantState, elapsedMs: number): number | null {
  let high = 2;
  while (stateWith(high) === 'continue') {
    high *= 2;
    if (high > MAX_GROWTH) return null;
  }
  let low = high / 2;
  while (high - low > 0.01 * high) {
    const middle = (low + high) / 2;
    if (stateWith(middle) === 'continue') low = middle;
    else high = middle;
  }
  return (high - 1) * elapsedMs;
}

function variantText(
  { kpi, control, within }: ExperimentPlan,
  name: string,
  state: VariantState,
  ratio: Estimate | null,
  remainingMs: number | null,
): string {
  if (ratio === null) return `${name}: too few ${kpi} to compare`;
  const times = `${ratio.value.toFixed(3)} times as often as with ${control}`;
  const numbers = `${kpi} with ${name} ${times} (${ratio.low.toFixed(3)} to ${ratio.high.toFixed(3)}, ${count(ratio.n)} events)`;
  if (state === 'equivalent') return `${numbers}: equal within ${percent(within)}`;
  if (state !== 'continue') return `${numbers}: ${state}`;
  return `${numbers}: undecided${remainingMs === null ? '' : `, about ${duration(remainingMs)} more`}`;
}

type Conclusion = Omit<ExperimentVerdict, 'variants' | 'sampleRatio'>;

function conclude(plan: ExperimentPlan, variants: readonly VariantVerdict[], srm: Weighing): Conclusion {
  const details = variants.map(({ text }) => text).join('; ');
  if (srm.logE >= srm.needed) {
    const text = `Held: sample ratio mismatch, evidence ${evidence(srm.logE)} against ${evidence(srm.needed)}`;
    return { state: 'ERROR', winner: null, remainingMs: null, text };
  }
  const open = variants.filter(({ state }) => state === 'continue');
  const better = variants.filter(({ state }) => state === 'better');
  const best = better.reduce<VariantVerdict | null>(
    (a, b) => (a === null || b.ratio!.value > a.ratio!.value ? b : a),
    null,
  );
  // A variant still in doubt might be better yet than the best so far.
  if (variants.length === 0 || open.length > 0) {
    const waits = open.map(({ remainingMs }) => remainingMs);
    const remainingMs =
      waits.length === 0 || waits.includes(null) ? null : Math.max(...waits.map((ms) => ms ?? 0));
    return { state: 'continue', winner: null, remainingMs, text: details };
  }
  if (best !== null) return { state: 'winner', winner: best.name, remainingMs: 0, text: details };
  const allWorse = variants.every(({ state }) => state === 'worse');
  if (allWorse) return { state: 'winner', winner: plan.control, remainingMs: 0, text: details };
  return { state: 'equivalent', winner: null, remainingMs: 0, text: details };
}
