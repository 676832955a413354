import type { Estimate, GateVerdict, Verdict, Weighing } from '../../core/judge/gates.ts';
import type { EstimateReading, GateReading, VerdictReading } from '../../tally/samples.ts';
import type { EstimateView, EvidenceView, GateView, VerdictView } from '../rollouts/views.ts';

/** What the surfaces show of a verdict: numbers that JSON can carry, evidence as factors. */

export interface JudgedView {
  readonly verdict: VerdictView | null;
  readonly gates: readonly GateView[];
}

/** Where nothing was judged yet, and where there is no gate to judge by, there is nothing to show. */
export function judgedView(verdict: Verdict | null): JudgedView {
  if (verdict === null || verdict.briefs.length === 0) return { verdict: null, gates: [] };
  const { state, M, neededM, holdRamp, advance, text, gates } = verdict;
  const { ready, why } = advance;
  return {
    verdict: { state, M: short(M), needed: short(neededM), holdRamp, ready, why, text },
    gates: gates.map(gateView),
  };
}

function gateView(gate: GateVerdict): GateView {
  const { name, kind, state, unit, samples, environment, text } = gate;
  return {
    name,
    kind,
    state,
    unit,
    canary: estimateView(gate.canary),
    stable: estimateView(gate.stable),
    harm: evidenceView(gate.harm),
    pass: evidenceView(gate.pass),
    samples: { have: samples.have, need: finite(samples.need) },
    decisionInMs: gate.etaMs === null ? null : finite(Math.ceil(gate.etaMs)),
    environment,
    text,
  };
}

export function estimateView(estimate: Estimate | null): EstimateView | null {
  if (estimate === null) return null;
  const { value, low, high, n } = estimate;
  return { value: finite(value), low: finite(low), high: finite(high), n };
}

export function evidenceView(weighing: Weighing): EvidenceView {
  const { logE, needed } = weighing;
  return { evidence: short(Math.exp(logE)), needed: short(Math.exp(needed)), share: shareOf(weighing) };
}

/** Evidence multiplies from sample to sample, so how far it has come is told by its logarithm; less than none is none. */
function shareOf({ logE, needed }: Weighing): number | null {
  return short(Math.max(0, logE / needed));
}

/** For the metrics. */
export function gateReadings(app: string, verdict: Verdict | null): readonly GateReading[] {
  return (verdict?.gates ?? []).map((gate) => {
    const { name, state, unit, canary, stable, harm, pass, samples, etaMs } = gate;
    return {
      app,
      gate: name,
      state,
      harm: shareOf(harm),
      pass: shareOf(pass),
      canary: estimateReading(canary, unit),
      stable: estimateReading(stable, unit),
      samples: { have: samples.have, need: finite(samples.need) },
      decisionInS: etaMs === null ? null : finite(Math.ceil(etaMs) / 1_000),
    };
  });
}

function estimateReading(estimate: Estimate | null, unit: GateVerdict['unit']): EstimateReading | null {
  if (estimate === null) return null;
  const told = (value: number) => finite(unit === 'ms' ? value / 1_000 : value);
  return { value: told(estimate.value), low: told(estimate.low), high: told(estimate.high) };
}

/** The same of all gates together; also where they are well but their counts are not to be believed. */
export function verdictReadings(app: string, verdict: Verdict | null): readonly VerdictReading[] {
  return verdict === null || verdict.briefs.length === 0 ? [] : [{ app, state: verdict.state }];
}

/** Six digits: a logarithm there and back makes 100.00000000000004 of 100. */
function short(value: number): number | null {
  return finite(Number(value.toPrecision(6)));
}

function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}
