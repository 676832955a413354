import { advanceOf, HOLD_RAMP_M, toleratedRate } from './advance.ts';
import { combineStates, type Division, divide, isDrift } from './combine.ts';
import type { Evidence, Slice } from './evidence.ts';
import { createFold } from './gates/create.ts';
import type { GateFold, Look, Reading } from './gates/reading.ts';
import type {
  GateBrief,
  GateSpec,
  GateState,
  GateVerdict,
  JudgeContext,
  JudgePlan,
  Verdict,
} from './gates.ts';
import {
  addToHealth,
  assignHealth,
  type Health,
  healthProblems,
  sampleRatio,
  startHealth,
} from './health.ts';
import { briefOf, gateVerdict, samplesPerS } from './verdicts.ts';
import { evidence as evidenceText } from './words.ts';

/** Running sums over slices, in their order; a judge's memo owns them. */
interface Sums {
  readonly plan: JudgePlan;
  readonly division: Division;
  readonly gates: readonly GateFold[];
  readonly totals: Totals;
  /** Those of the first `at` slices, which the gates keep too. */
  readonly kept: Totals;
  at: number;
  /** Looks that these sums were used for: what has not been read by the next one has to be summed up again. */
  looks: number;
}

/** What is summed up for all gates together. */
interface Totals {
  readonly health: Health;
  requests: number;
  compared: boolean;
}

/**
 * What the next look can start from: the sums over the slices that did not change between the last two. Opaque,
 * and only ever a saving: without it the verdict is the same.
 */
export interface JudgeMemo {
  readonly edgesMs: readonly number[];
  readonly slices: readonly Slice[];
  readonly sums: Sums;
  /** The look that left it; once there was another one, it is no use any more. */
  readonly look: number;
}

/** What these counts say now. Pure: the same counts give the same verdict, however they were collected. */
export function judge(plan: JudgePlan, evidence: Evidence, context: JudgeContext): Verdict {
  return judgeWith(plan, evidence, context, null).verdict;
}

/**
 * As `judge`, quicker for a caller that looks again and again: `memo` is that of its last look. A slice that is
 * the same object as then is taken to have the same counts.
 */
export function judgeWith(
  plan: JudgePlan,
  evidence: Evidence,
  context: JudgeContext,
  memo: JudgeMemo | null,
): { readonly verdict: Verdict; readonly memo: JudgeMemo } {
  const sums = sumUp(plan, evidence, memo);
  const look = ++sums.looks;
  const anew = () => judge(plan, evidence, context);
  const verdict = verdictOf(evidence, context, sums, () => (sums.looks === look ? null : anew()));
  return { verdict, memo: { edgesMs: evidence.edgesMs, slices: evidence.slices, sums, look } };
}

function sumUp(plan: JudgePlan, { slices, edgesMs }: Evidence, memo: JudgeMemo | null): Sums {
  const isCurrent = memo !== null && memo.sums.plan === plan && memo.sums.looks === memo.look;
  const known = isCurrent && sameEdges(memo.edgesMs, edgesMs) ? memo : null;
  const same = known === null ? 0 : commonPrefix(known.slices, slices);
  const goesOn = known !== null && known.sums.at <= same;
  const sums = goesOn ? known.sums : startSums(plan, edgesMs);
  if (goesOn) rewind(sums);
  let { at } = sums;
  while (at < same) addSlice(sums, slices[at++]!);
  if (at > sums.at) keep(sums, at);
  while (at < slices.length) addSlice(sums, slices[at++]!);
  return sums;
}

function rewind({ gates, totals, kept }: Sums): void {
  for (const gate of gates) gate.rewind();
  assignTotals(totals, kept);
}

function keep(sums: Sums, at: number): void {
  for (const gate of sums.gates) gate.keep();
  assignTotals(sums.kept, sums.totals);
  sums.at = at;
}

function sameEdges(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((edge, i) => edge === b[i]));
}

function commonPrefix(a: readonly Slice[], b: readonly Slice[]): number {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i;
}

function startSums(plan: JudgePlan, edgesMs: readonly number[]): Sums {
  return {
    plan,
    division: divide(plan.gates, plan.alpha),
    gates: plan.gates.map((spec) => createFold(spec, edgesMs)),
    totals: startTotals(),
    kept: startTotals(),
    at: 0,
    looks: 0,
  };
}

function startTotals(): Totals {
  return { health: startHealth(), requests: 0, compared: false };
}

function assignTotals(to: Totals, from: Totals): void {
  assignHealth(to.health, from.health);
  to.requests = from.requests;
  to.compared = from.compared;
}

function addSlice({ gates, totals }: Sums, slice: Slice): void {
  for (const gate of gates) gate.add(slice);
  addToHealth(totals.health, slice);
  totals.requests += slice.canary.requests;
  if (slice.w < 1) totals.compared = true;
}

/**
 * @param anew what has to be asked once the sums have moved on; null: they have not
 */
function verdictOf(
  evidence: Evidence,
  context: JudgeContext,
  sums: Sums,
  anew: () => Verdict | null,
): Verdict {
  const { plan, division, totals } = sums;
  const look = lookOf(plan, evidence, context, totals);
  const readings = sums.gates.map((gate) => gate.read(look));
  const setting = {
    plan,
    division,
    look,
    over: context.over ?? false,
    latched: context.latched,
    requests: totals.requests,
    ratePerS: context.ratePerS,
    pairsPerS: context.pairsPerS ?? null,
    canaryPerS: context.ratePerS * look.w,
  };
  const M = weigh(plan, division, readings);
  const found = plan.gates.map((spec, i) => briefOf(spec, readings[i]!, setting));
  const blamed = M >= division.neededM ? toBlame(plan, division, found) : -1;
  const briefs = blamed < 0 ? found : found.with(blamed, { ...found[blamed]!, state: 'FAIL' });
  const isOver = setting.over || briefs.some(({ state }) => state === 'FAIL');
  const shown = { ...setting, over: isOver };
  const inFull = (spec: GateSpec, i: number) => gateVerdict(spec, readings[i]!, shown, found[i]!);
  const gates = once(
    () =>
      anew()?.gates ??
      plan.gates.map((spec, i) => (i === blamed ? asBlamed(inFull(spec, i)) : inFull(spec, i))),
  );
  const mismatch = sampleRatio(totals.health);
  const problems = [...evidence.problems, ...healthProblems(totals.health, mismatch)];
  const state = stateOf(briefs, problems, M);
  const holdRamp =
    M >= HOLD_RAMP_M || briefs.some((brief, i) => isDrift(plan.gates[i]!) && driftHolds(brief));
  const advance = advanceOf({
    state,
    M,
    over: setting.over,
    holdRamp,
    nextW: context.nextW,
    minSamples: plan.minSamples,
    // A slice is there as soon as the canary has a share, also while nobody came to it yet.
    exposed: evidence.slices.length > 0,
    // What a gate cannot read is said only where nothing worse is.
    problems: state === 'ERROR' && problems.length === 0 ? textsOf(gates(), 'ERROR') : problems,
    gates: plan.gates,
    reading: (i) => readings[i]!,
    samplesPerS: (i) => samplesPerS(plan.gates[i]!, readings[i]!, setting),
  });
  const text = once(() => textOf(state, M, gates(), problems, isOver ? null : advance.why));
  return {
    state,
    M,
    neededM: division.neededM,
    briefs,
    get gates() {
      return gates();
    },
    holdRamp,
    problems,
    sampleRatio: mismatch,
    advance,
    get text() {
      return text();
    },
  };
}

function lookOf(plan: JudgePlan, evidence: Evidence, context: JudgeContext, totals: Totals): Look {
  return {
    beta: plan.beta,
    toleratedRate: toleratedRate(context.nextW),
    edgesMs: evidence.edgesMs,
    shadow: evidence.shadow,
    late: evidence.late,
    w: totals.health.w,
    alone: !totals.compared && evidence.slices.length > 0,
    canaryName: context.names?.canary ?? 'canary',
    stableName: context.names?.stable ?? 'stable',
  };
}

/** The weighted mean of e-values is an e-value whatever they have to do with each other. */
function weigh(plan: JudgePlan, { weight }: Division, readings: readonly Reading[]): number {
  let M = plan.gates.every(isDrift) ? 1 : 0;
  for (const [i, spec] of plan.gates.entries()) {
    if (!isDrift(spec)) M += weight(spec) * Math.min(1e300, Math.exp(readings[i]!.logHarm));
  }
  return M;
}

/** Gates that only together show harm: the one that shows most is named. -1: one has failed by itself. */
function toBlame(plan: JudgePlan, { weight }: Division, briefs: readonly GateBrief[]): number {
  if (briefs.some(({ state }, i) => state === 'FAIL' && !isDrift(plan.gates[i]!))) return -1;
  const share = (i: number) => Math.log(weight(plan.gates[i]!)) + briefs[i]!.harm.logE;
  return briefs.reduce((best, _brief, i) => (share(i) > share(best) ? i : best), 0);
}

function asBlamed(gate: GateVerdict): GateVerdict {
  return { ...gate, state: 'FAIL', etaMs: 0, text: `${gate.text}; with the other gates enough to roll back` };
}

/** One in five drifts that look like this is none. */
function driftHolds({ harm }: GateBrief): boolean {
  return harm.logE >= Math.log(HOLD_RAMP_M);
}

function stateOf(gates: readonly GateBrief[], problems: readonly string[], M: number): Verdict['state'] {
  const states = gates.map(({ state }) => state);
  if (problems.length > 0) states.push('ERROR');
  // Nothing is promoted while there is any evidence of harm. A rounding error is none.
  if (M > 1 + 1e-9) states.push('CONTINUE');
  return combineStates(states);
}

function textsOf(gates: readonly GateVerdict[], wanted: GateState): string[] {
  return gates.filter(({ state }) => state === wanted).map(({ text }) => text);
}

function textOf(
  state: GateState,
  M: number,
  gates: readonly GateVerdict[],
  problems: readonly string[],
  why: string | null,
): string {
  switch (state) {
    case 'FAIL':
      return `${textsOf(gates, 'FAIL').join('. ')}.`;
    case 'ERROR':
      return `Held: ${[...problems, ...textsOf(gates, 'ERROR')].join('. ')}.`;
    case 'PASS':
      return `Every gate has passed: ${textsOf(gates, 'PASS').join('. ')}.`;
    default:
      break;
  }
  const open = textsOf(gates, 'CONTINUE');
  if (gates.length === 0) return 'There is no gate to judge by.';
  if (open.length === 0)
    return `Every gate has passed, but evidence of harm is ${evidenceText(Math.log(M))}.`;
  return `Undecided: ${open.join('. ')}.${why === null ? '' : ` Next step: ${why}.`}`;
}

/** Computed when it is first asked for, of counts that do not change. */
function once<T>(compute: () => T): () => T {
  let held: { readonly value: T } | null = null;
  return () => {
    held ??= { value: compute() };
    return held.value;
  };
}
