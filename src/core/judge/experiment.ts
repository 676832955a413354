import type { Estimate, Weighing } from './gates.ts';
import { rateInterval } from './kernels/interval.ts';
import { logSampleRatio, SAMPLE_RATIO_ALPHA } from './kernels/sample-ratio.ts';
import { count, duration, evidence, percent } from './words.ts';

/** An A/B test on the gateway's split: the same shares for its whole length, and no rollback of its own. */
export interface ExperimentPlan {
  readonly kpi: string;
  /** Greatest probability of any wrong conclusion, over all pairs of versions and for all time (.05). */
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

/** A version against another one. */
export interface Duel {
  readonly state: VariantState;
  /** How often the event happens, in relation to the other's; null without any event. */
  readonly ratio: Estimate | null;
  /** If it goes on like this; null: not foreseeable. */
  readonly remainingMs: number | null;
  readonly text: string;
}

/** Against control. */
export interface VariantVerdict extends Duel {
  readonly name: string;
  readonly conversion: Estimate | null;
}

export interface ExperimentVerdict {
  /** `equivalent`: those that are left are equal, not all others need be. */
  readonly state: 'winner' | 'equivalent' | 'continue' | 'ERROR';
  readonly winner: string | null;
  /** Versions that no other is known to be better than, in the plan's order; the best is one of them. */
  readonly leaders: readonly string[];
  readonly variants: readonly VariantVerdict[];
  readonly sampleRatio: Weighing;
  readonly remainingMs: number | null;
  readonly text: string;
}

/** Strength of the belief, before any data, that there is no difference. */
const KAPPA = 100;
/** Nobody waits for a hundred times as long as it has taken. */
const MAX_GROWTH = 100;

/** A version with its share of all compared users, and what was counted. */
interface Contender extends VariantCounts {
  readonly name: string;
  readonly share: number;
}

/** Of so many versions. */
export function pairsOf(versions: number): number {
  return (versions * (versions - 1)) / 2;
}

/**
 * What the experiment shows after `elapsedMs`. Valid however often and whenever it is asked.
 *
 * Every pair of versions, not only those with control, has an interval of its ratio at alpha / (number of pairs) that
 * holds at all times. So with probability 1 - alpha all intervals hold at all times together (Bonferroni), and then
 * whatever follows from them is true: the family-wise error is at most alpha, whichever pairs are looked at. What
 * follows: a version that another one is better than is not the best, so the best is among the others, the leaders.
 * One leader is the winner, also over those that it was not found better than itself: who beat them is no better than
 * it. Leaders that are all equal pair by pair are equivalent. Else it goes on.
 */
export function judgeExperiment(
  plan: ExperimentPlan,
  counts: Readonly<Record<string, VariantCounts>>,
  elapsedMs: number,
): ExperimentVerdict {
  const all = plan.variants.map(({ name, share }): Contender => {
    const { keys, firsts } = Object.hasOwn(counts, name) ? counts[name]! : { keys: 0, firsts: 0 };
    return { name, share, keys, firsts };
  });
  const sampleRatio = {
    logE: logSampleRatio(
      all.map(({ keys }) => keys),
      all.map(({ share }) => share),
    ),
    needed: Math.log(1 / SAMPLE_RATIO_ALPHA),
  };
  const terms = { plan, alpha: plan.alpha / Math.max(1, pairsOf(all.length)), elapsedMs };
  const control = all.find(({ name }) => name === plan.control) ?? { ...NOBODY, name: plan.control };
  const others = all.filter((one) => one !== control);
  const variants = others.map((own) => ({
    name: own.name,
    conversion: own.keys === 0 ? null : conversionOf(own, terms.alpha),
    ...duel(terms, own, control),
  }));
  // Who is ahead is named first; against control the variant is, as it is shown.
  const ranked = [...others.toSorted((a, b) => rateOf(b) - rateOf(a)), control];
  return { ...conclude(terms, ranked, variants, sampleRatio), variants, sampleRatio };
}

const NOBODY = { share: 0, keys: 0, firsts: 0 };

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

interface Terms {
  readonly plan: ExperimentPlan;
  /** Of one pair. */
  readonly alpha: number;
  readonly elapsedMs: number;
}

/** `own` against `other`, if everything counted were `growth` times as much. */
function standing({ plan, alpha }: Terms, own: Contender, other: Contender, growth: number): VariantState {
  const w = own.share / (own.share + other.share);
  return classify(ratioInterval(own.firsts * growth, other.firsts * growth, w, alpha), plan.within);
}

function duel(terms: Terms, own: Contender, other: Contender): Duel {
  const state = standing(terms, own, other, 1);
  const w = own.share / (own.share + other.share);
  const n = own.firsts + other.firsts;
  const value = own.firsts === 0 || other.firsts === 0 ? null : (own.firsts / other.firsts) * ((1 - w) / w);
  const ratio =
    value === null ? null : { value, ...ratioInterval(own.firsts, other.firsts, w, terms.alpha), n };
  const isOpen = (growth: number) => standing(terms, own, other, growth) === 'continue';
  const remainingMs = state !== 'continue' ? 0 : n === 0 ? null : remaining(isOpen, terms.elapsedMs);
  return {
    state,
    ratio,
    remainingMs,
    text: duelText(terms.plan, own.name, other.name, state, ratio, remainingMs),
  };
}

/** Events for an equal number of users. */
function rateOf({ firsts, share }: Contender): number {
  return share === 0 ? 0 : firsts / share;
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

function remaining(isOpen: (growth: number) => boolean, elapsedMs: number): number | null {
  let high = 2;
  while (isOpen(high)) {
    high *= 2;
    if (high > MAX_GROWTH) return null;
  }
  let low = high / 2;
  while (high - low > 0.01 * high) {
    const middle = (low + high) / 2;
    if (isOpen(middle)) low = middle;
    else high = middle;
  }
  return (high - 1) * elapsedMs;
}

function duelText(
  { kpi, within }: ExperimentPlan,
  name: string,
  other: string,
  state: VariantState,
  ratio: Estimate | null,
  remainingMs: number | null,
): string {
  if (ratio === null) return `${name}: too few ${kpi} to compare`;
  const times = `${ratio.value.toFixed(3)} times as often as with ${other}`;
  const numbers = `${kpi} with ${name} ${times} (${ratio.low.toFixed(3)} to ${ratio.high.toFixed(3)}, ${count(ratio.n)} events)`;
  if (state === 'equivalent') return `${numbers}: equal within ${percent(within)}`;
  if (state !== 'continue') return `${numbers}: ${state}`;
  return `${numbers}: undecided${remainingMs === null ? '' : `, about ${duration(remainingMs)} more`}`;
}

type Conclusion = Omit<ExperimentVerdict, 'variants' | 'sampleRatio'>;

function conclude(
  terms: Terms,
  ranked: readonly Contender[],
  variants: readonly VariantVerdict[],
  srm: Weighing,
): Conclusion {
  const names = terms.plan.variants.map(({ name }) => name);
  if (srm.logE >= srm.needed) {
    const text = `Held: sample ratio mismatch, evidence ${evidence(srm.logE)} against ${evidence(srm.needed)}`;
    return { state: 'ERROR', winner: null, leaders: names, remainingMs: null, text };
  }
  const leaders = leadersOf(terms, ranked);
  const state = stateAmong(terms, leaders, 1);
  const leading = names.filter((name) => leaders.some((one) => one.name === name));
  const winner = state === 'winner' ? (leading[0] ?? null) : null;
  const isOpen = (growth: number) => stateAmong(terms, leaders, growth) === 'continue';
  return {
    state,
    winner,
    leaders: leading,
    remainingMs: state === 'continue' ? remaining(isOpen, terms.elapsedMs) : 0,
    text: [
      ...(names.length > 2 ? headline(terms.plan, state, leading) : []),
      ...variants.map(({ text }) => text),
      ...closest(terms, ranked, leaders),
    ].join('; '),
  };
}

/** Those that none of all is better than; whoever is first by what was counted is one. */
function leadersOf(terms: Terms, ranked: readonly Contender[], growth = 1): readonly Contender[] {
  const beaten = new Set<Contender>();
  for (const [i, own] of ranked.entries()) {
    for (const other of ranked.slice(i + 1)) {
      const state = standing(terms, own, other, growth);
      if (state === 'better') beaten.add(other);
      if (state === 'worse') beaten.add(own);
    }
  }
  return ranked.filter((one) => !beaten.has(one));
}

/** What is known if nobody but these can be the best. */
function stateAmong(
  terms: Terms,
  contenders: readonly Contender[],
  growth: number,
): 'winner' | 'equivalent' | 'continue' {
  if (terms.plan.variants.length < 2) return 'continue';
  const left = leadersOf(terms, contenders, growth);
  if (left.length === 1) return 'winner';
  const isOpen = left.some((own, i) =>
    left.slice(i + 1).some((other) => standing(terms, own, other, growth) === 'continue'),
  );
  return isOpen ? 'continue' : 'equivalent';
}

function headline(
  { variants, within }: ExperimentPlan,
  state: 'winner' | 'equivalent' | 'continue',
  leaders: readonly string[],
): readonly string[] {
  const areAll = leaders.length === variants.length;
  const named = `${leaders.slice(0, -1).join(', ')} and ${leaders.at(-1)}`;
  switch (state) {
    case 'winner':
      return [`${leaders[0]} is better than all others`];
    case 'equivalent':
      return [
        areAll
          ? `all are equal within ${percent(within)}`
          : `${named} are equal within ${percent(within)}, the others are behind`,
      ];
    case 'continue':
      return areAll ? [] : [`the best is one of ${named}`];
  }
}

/** The two in front beside each other, unless one is control: it is beside each variant already. */
function closest(
  terms: Terms,
  ranked: readonly Contender[],
  leaders: readonly Contender[],
): readonly string[] {
  const isOther = ({ name }: Contender) => name !== terms.plan.control;
  const [first, second] = leaders.filter(isOther);
  const next = leaders.length === 1 ? ranked.find((one) => one !== first && isOther(one)) : second;
  return first === undefined || next === undefined ? [] : [duel(terms, first, next).text];
}
