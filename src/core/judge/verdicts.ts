import type { Division } from './combine.ts';
import type { Look, Reading } from './gates/reading.ts';
import type { GateBrief, GateSpec, GateState, GateVerdict, JudgePlan } from './gates.ts';
import { count, duration, evidence } from './words.ts';

/** Answers after which a gate without a single sample is broken rather than young, in minimum samples. */
const BLIND_AFTER = 20;

/** What a gate's verdict depends on besides its reading. */
export interface Setting {
  readonly plan: JudgePlan;
  readonly division: Division;
  readonly look: Look;
  /** It is decided, so nothing is forecast. */
  readonly over: boolean;
  /** Gates that failed before, by name. */
  readonly latched: readonly string[];
  /** Canary's answers in the rollout. */
  readonly requests: number;
  /** Canary's requests, and all compared ones, a second. */
  readonly canaryPerS: number;
  readonly ratePerS: number;
  /** Null: not known. */
  readonly pairsPerS: number | null;
}

/** Canary samples a second this gate gets at this traffic. Mirrors take from stable's requests. */
export function samplesPerS(spec: GateSpec, { perRequest }: Reading, setting: Setting): number {
  if (spec.kind !== 'agreement') return setting.canaryPerS * perRequest;
  if (setting.pairsPerS !== null) return setting.pairsPerS;
  const { agree, disagree, incomparable } = setting.look.shadow;
  const told = agree + disagree;
  return told + incomparable === 0 ? setting.ratePerS : (setting.ratePerS * told) / (told + incomparable);
}

/** What decides, without a word. */
export function briefOf(spec: GateSpec, reading: Reading, setting: Setting): GateBrief {
  const harm = { logE: reading.logHarm, needed: setting.division.needed(spec) };
  const blind = isBlind(spec, reading, setting);
  const failed = harm.logE >= harm.needed || setting.latched.includes(spec.name);
  const state = stateOf(reading, failed, blind, setting.plan);
  return { name: spec.name, kind: spec.kind, state, harm, pass: reading.pass };
}

export function gateVerdict(
  spec: GateSpec,
  reading: Reading,
  setting: Setting,
  brief: GateBrief,
): GateVerdict {
  const { canary, stable, environment, facts, missing } = reading.shown();
  const more = missing === null ? null : Math.max(missing, setting.plan.minSamples - reading.have, 0);
  const { state } = brief;
  const verdict = {
    ...brief,
    unit: reading.unit,
    canary,
    stable,
    samples: { have: reading.have, need: more === null ? null : reading.have + more },
    etaMs: etaOf(state, setting.over ? null : more, samplesPerS(spec, reading, setting)),
    environment,
  };
  return {
    ...verdict,
    text: `${facts}; ${reasonOf(verdict, reading, more, setting)}`,
  };
}

function etaOf(state: GateState, missing: number | null, perS: number): number | null {
  if (state === 'PASS' || state === 'FAIL') return 0;
  if (missing === null) return null;
  return missing === 0 ? 0 : perS > 0 ? (missing / perS) * 1000 : null;
}

function stateOf(reading: Reading, failed: boolean, blind: boolean, plan: JudgePlan): GateState {
  if (failed) return 'FAIL';
  if (blind) return 'ERROR';
  const enough = reading.have >= plan.minSamples && reading.pass.logE >= reading.pass.needed;
  return enough ? 'PASS' : 'CONTINUE';
}

/** Answers come and this gate reads none of them. A KPI may take its time, and the mirror may be off. */
function isBlind(spec: GateSpec, reading: Reading, { plan, requests, look }: Setting): boolean {
  if (spec.kind === 'kpi' || reading.have > 0) return false;
  const answers = spec.kind === 'agreement' ? look.shadow.incomparable : requests;
  return answers >= BLIND_AFTER * plan.minSamples;
}

function reasonOf(
  { name, state, harm, pass, environment, etaMs }: Omit<GateVerdict, 'text'>,
  reading: Reading,
  missing: number | null,
  { latched, over }: Setting,
): string {
  const against = `evidence ${evidence(harm.logE)} against the ${evidence(harm.needed)} needed`;
  switch (state) {
    case 'FAIL':
      return latched.includes(name) && harm.logE < harm.needed ? `failed before; ${against} now` : against;
    case 'PASS':
      return `passed with evidence ${evidence(pass.logE)} of the ${evidence(pass.needed)} needed`;
    case 'ERROR':
      return `no ${reading.noun} could be ${reading.unit === 'disagreements' ? 'compared' : 'read'}`;
    default:
      break;
  }
  if (environment) return 'both are beyond the threshold: the environment, not the version';
  if (over) return `undecided until the end; ${against} for a rollback`;
  if (missing === null && reading.have === 0) return `no ${reading.noun} yet`;
  if (missing === null) return `not within the threshold so far; ${against} for a rollback`;
  const wait = etaMs === null ? '' : `, about ${duration(etaMs)} at this traffic`;
  return `${count(missing)} more ${reading.noun} are needed${wait}${etaMs === null ? '' : help(etaMs, reading)}`;
}

/** Beyond this, waiting is no plan. */
const LONG_MS = 3_600_000;

function help(etaMs: number, { noun }: Reading): string {
  if (etaMs < LONG_MS) return '';
  return noun === 'mirrored requests'
    ? '; mirroring a greater share would help'
    : '; a greater weight would help, or mirroring';
}
