import {
  type ExperimentVerdict,
  pairsOf,
  type VariantState,
  type VariantVerdict,
} from '../../core/judge/experiment.ts';
import type { Estimate, GateState } from '../../core/judge/gates.ts';
import { rateInterval } from '../../core/judge/kernels/interval.ts';
import type { ExperimentPlan } from '../../core/judge/service.ts';
import type { Service } from '../../core/model.ts';
import { weightBpOf } from '../../core/split/shares.ts';
import type { EstimateView, EvidenceView } from '../rollouts/views.ts';
import type { Comparison } from './board.ts';
import { estimateView, evidenceView } from './view.ts';

/** What the surfaces show of an experiment. Plain data without secrets; real milliseconds. */
export interface ExperimentView {
  readonly service: string;
  readonly kpi: string;
  /** Greatest probability of any wrong conclusion, for the whole experiment. */
  readonly alpha: number;
  /** Since when the shares are as they are, ISO 8601; nothing from before is counted. */
  readonly began: string;
  readonly elapsedMs: number;
  /** `equivalent`: the leaders are. `idle`: fewer than two variants have users. `error`: the counts cannot be believed. */
  readonly state: 'winner' | 'equivalent' | 'continue' | 'error' | 'idle';
  readonly winner: string | null;
  /** Versions that no other is known to be better than; the best is one of them. Empty if nothing is compared. */
  readonly leaders: readonly string[];
  /** If it goes on like this; 0: decided, null: not foreseeable. */
  readonly remainingMs: number | null;
  /** Plain words with the numbers. */
  readonly text: string;
  /** That users are not dealt as the weights say. */
  readonly sampleRatio: EvidenceView | null;
  /** What speaks against the counts; each keeps the gates from saying anything good. */
  readonly problems: readonly string[];
  /** Stable first. */
  readonly variants: readonly VariantView[];
}

export interface VariantView {
  readonly name: string;
  /** Percent. */
  readonly weight: number;
  readonly requests: number;
  readonly users: number;
  /** Users with the event at least once. */
  readonly converted: number;
  readonly events: number;
  /** Of 1, with an interval that holds at all times. */
  readonly conversion: EstimateView | null;
  /** Against stable. `control`: it is stable. `stopped`: a guardrail took it from its users. `off`: it has none. */
  readonly state: VariantState | 'control' | 'stopped' | 'off';
  /** How often the event happens for an equal number of users, in relation to stable's. */
  readonly ratio: EstimateView | null;
  readonly remainingMs: number | null;
  readonly text: string;
  /** What the service's gates say of it; null: there are none, or it is stable. */
  readonly guardrails: { readonly state: GateState; readonly text: string } | null;
  readonly stopped: Stop | null;
}

export interface Stop {
  /** ISO 8601. */
  readonly at: string;
  readonly because: string;
}

export interface VariantTotals {
  readonly requests: number;
  readonly keys: number;
  readonly events: number;
  readonly firsts: number;
}

export interface ExperimentParts {
  readonly service: Service;
  readonly plan: ExperimentPlan;
  readonly hasGates: boolean;
  readonly began: string;
  readonly elapsedMs: number;
  readonly verdict: ExperimentVerdict | null;
  readonly totals: ReadonlyMap<string, VariantTotals>;
  readonly comparisons: readonly Comparison[];
  readonly stops: ReadonlyMap<string, Stop>;
}

export function experimentView(parts: ExperimentParts): ExperimentView {
  const { service, plan, began, elapsedMs, verdict, comparisons } = parts;
  const problems = comparisons.flatMap(({ version, verdict: own }) =>
    (own?.problems ?? []).map((problem) => (comparisons.length === 1 ? problem : `${version}: ${problem}`)),
  );
  return {
    service: service.name,
    kpi: plan.kpi,
    alpha: plan.alpha,
    began,
    elapsedMs: Math.round(elapsedMs),
    state: verdict === null ? 'idle' : verdict.state === 'ERROR' ? 'error' : verdict.state,
    winner: verdict?.winner ?? null,
    leaders: verdict?.leaders ?? [],
    remainingMs: verdict?.remainingMs ?? null,
    text: verdict?.text ?? 'fewer than two variants have users, nothing is compared',
    sampleRatio: verdict === null ? null : evidenceView(verdict.sampleRatio),
    problems,
    variants: plan.variants.map((name, index) => variantView(parts, name, index === 0)),
  };
}

function variantView(
  { service, plan, hasGates, verdict, totals, comparisons, stops }: ExperimentParts,
  name: string,
  isControl: boolean,
): VariantView {
  const version = service.versions.findIndex((one) => one.name === name);
  const weight = weightBpOf(service.shares, service.stable, version) / 100;
  const own = verdict?.variants.find((one) => one.name === name) ?? null;
  const gates = comparisons.find((one) => one.version === name)?.verdict ?? null;
  const stopped = stops.get(name) ?? null;
  const { requests, keys, events, firsts } = totals.get(name) ?? NOTHING;
  return {
    name,
    weight,
    requests,
    users: keys,
    converted: firsts,
    events,
    conversion: boundedView(keys === 0 ? null : conversionOf(plan, keys, firsts)),
    state: isControl ? 'control' : stopped !== null ? 'stopped' : stateOf(own, weight),
    ratio: boundedView(own?.ratio ?? null),
    remainingMs: own?.remainingMs ?? null,
    text: stopped === null ? (own?.text ?? '') : `a guardrail stopped it: ${stopped.because}`,
    guardrails: !hasGates || gates === null ? null : { state: gates.state, text: gates.text },
    stopped,
  };
}

const NOTHING: VariantTotals = { requests: 0, keys: 0, events: 0, firsts: 0 };

/** As the verdict has it for the others, for stable too. */
function conversionOf({ alpha, variants }: ExperimentPlan, keys: number, firsts: number): Estimate {
  // Among very many users some are taken for one; their events are not.
  const k = Math.min(firsts, keys);
  return { value: k / keys, ...rateInterval(k, keys, alpha / pairsOf(variants.length)), n: keys };
}

function stateOf(own: VariantVerdict | null, weight: number): VariantView['state'] {
  if (own !== null) return own.state;
  return weight === 0 ? 'off' : 'continue';
}

/** A bound that is as good as none is told as none. */
function boundedView(estimate: Estimate | null): EstimateView | null {
  const view = estimateView(estimate);
  return view === null || (view.high ?? 0) < NO_BOUND ? view : { ...view, high: null };
}

const NO_BOUND = 1e9;
