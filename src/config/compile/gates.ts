import type { GateSpec, JudgePlan } from '../../core/judge/gates.ts';
import { DEFAULTS } from '../defaults.ts';
import { readPercentText } from '../forms/quantities.ts';
import { taken } from '../forms/reading.ts';
import { msOf } from '../quantity.ts';
import { kpiGatesOf } from '../schema/gates.ts';
import type { RawGates } from '../schema.ts';

const base = DEFAULTS.gates;

type RawLatency = NonNullable<RawGates['latency']>;

const QUANTILES = [
  { key: 'p50', quantile: 0.5 },
  { key: 'p90', quantile: 0.9 },
  { key: 'p95', quantile: 0.95 },
  { key: 'p99', quantile: 0.99 },
] as const;

/** Those that a latency gate names; the check sees to it that there is one. */
export function quantilesOf(raw: RawLatency) {
  return QUANTILES.flatMap(({ key, quantile }) => {
    const threshold = raw[key];
    return threshold === undefined ? [] : [{ key, quantile, threshold }];
  });
}

/** Checked gates, in the order of the file. */
export function compileGates(raw: RawGates = {}): JudgePlan {
  const kpis = new Map(kpiGatesOf(raw));
  const gates = Object.keys(raw).flatMap((name): GateSpec[] => {
    const kpi = kpis.get(name);
    if (kpi === undefined) return ownGate(name, raw);
    return [{ kind: 'kpi', name, kpi: kpi.kpi, within: taken(readPercentText(kpi.within)) }];
  });
  return {
    gates,
    alpha: raw.alpha ?? base.alpha,
    beta: raw.beta ?? base.beta,
    minSamples: raw.minSamples ?? base.minSamples,
  };
}

/** One of the gates that have names of their own; none for the settings beside them. */
function ownGate(name: string, raw: RawGates): GateSpec[] {
  const { successRate, latency, predictionShift, confidence, agreement } = raw;
  if (name === 'successRate' && successRate !== undefined) {
    const tolerate = successRate.tolerate ?? base.successRate.tolerate;
    return [{ kind: name, name, atLeast: successRate.atLeast, tolerate }];
  }
  if (name === 'latency' && latency !== undefined) {
    const delta = latency.delta ?? base.latency.delta;
    return quantilesOf(latency).map(({ quantile, threshold }) => {
      return { kind: name, name, quantile, thresholdMs: msOf(threshold), delta };
    });
  }
  if (name === 'predictionShift' && predictionShift !== undefined) {
    return [{ kind: name, name, atMost: predictionShift.atMost }];
  }
  if (name === 'confidence' && confidence !== undefined) return [{ kind: name, name, mean: confidence.mean }];
  if (name === 'agreement' && agreement !== undefined) {
    return [{ kind: name, name, atLeast: agreement.atLeast }];
  }
  return [];
}

/** Thresholds that must be bucket edges, so that what lies above them is counted exactly. */
export function thresholdsMs(raw: RawGates = {}): number[] {
  return raw.latency === undefined ? [] : quantilesOf(raw.latency).map(({ threshold }) => msOf(threshold));
}
