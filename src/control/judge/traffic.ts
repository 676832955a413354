import { quantileOf } from '../../core/analysis/tally-read.ts';
import type { Slice } from '../../core/judge/evidence.ts';
import type { JudgePlan } from '../../core/judge/gates.ts';
import type { Windows } from '../windows.ts';
import type { Frozen } from './dress.ts';

/** Stable's own latency is frozen from as many requests of the last so many milliseconds. */
const FROZEN_FROM_MS = 600_000;
const FROZEN_REQUESTS = 1_000;
const RATE_WINDOW_MS = 60_000;

/** Slices that together last shorter say nothing of a rate. */
const LEAST_MS = 1_000;

/**
 * Requests a second that are compared, both versions together, lately. What a rule sends to stable is none of them:
 * it would let more be expected of the canary than comes. Before anybody is exposed: what stable is sent, of which
 * copies are made.
 */
export function comparedPerS(
  slices: readonly Slice[],
  windows: Windows,
  service: string,
  stable: string,
): number {
  if (slices.length === 0) {
    const traffic = windows.traffic(service, stable, RATE_WINDOW_MS);
    return traffic === null || traffic.spanMs === 0 ? 0 : (traffic.requests / traffic.spanMs) * 1_000;
  }
  let requests = 0;
  let spanMs = 0;
  // The newest may have just begun.
  for (let i = Math.max(0, slices.length - 2); i < slices.length; i++) {
    const slice = slices[i] as Slice;
    requests += slice.canary.requests + slice.stable.requests;
    spanMs += slice.spanMs;
  }
  return spanMs < LEAST_MS ? 0 : (requests / spanMs) * 1_000;
}

/** Stable's own quantiles by latency gate, each a little stretched; null: it has not answered enough yet. */
export function frozenOf(windows: Windows, plan: JudgePlan, service: string, stable: string): Frozen | null {
  if (!plan.gates.some(({ kind }) => kind === 'latency')) return null;
  // Asked at every look until there are enough.
  const requests = windows.traffic(service, stable, FROZEN_FROM_MS)?.requests ?? 0;
  const counts = requests < FROZEN_REQUESTS ? null : windows.counts(service, stable, FROZEN_FROM_MS);
  if (counts === null) return null;
  const frozen = new Map<string, number>();
  for (const gate of plan.gates) {
    if (gate.kind !== 'latency') continue;
    const own = quantileOf(counts, gate.quantile);
    if (own !== null) frozen.set(gate.name, own * (1 + gate.delta));
  }
  return frozen;
}
