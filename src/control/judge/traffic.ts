import { quantileOf } from '../../core/analysis/tally-read.ts';
import type { GateSpec } from '../../core/judge/gates.ts';
import type { Service } from '../../core/model.ts';
import type { Windows } from '../windows.ts';
import { stableOf } from './bench.ts';
import type { Frozen } from './dress.ts';

/** What a judge reads off the counters of all requests. */

/** Stable's own latency is frozen from as many requests of the last so many milliseconds. */
const FROZEN_FROM_MS = 600_000;
const FROZEN_REQUESTS = 1_000;
const RATE_WINDOW_MS = 60_000;

/** Stable's own quantile in ms, a little stretched, for each latency gate; null: too few requests. */
export function freezeLatency(windows: Windows, service: Service, gates: readonly GateSpec[]): Frozen | null {
  const counts = windows.counts(service.name, stableOf(service), FROZEN_FROM_MS);
  if (counts === null || counts.requests < FROZEN_REQUESTS) return null;
  const frozen = new Map<string, number>();
  for (const gate of gates) {
    if (gate.kind !== 'latency') continue;
    const own = quantileOf(counts, gate.quantile);
    if (own !== null) frozen.set(gate.name, own * (1 + gate.delta));
  }
  return frozen;
}

/** Requests of stable and this version together, a second, lately. */
export function ratePerS(windows: Windows, service: Service, version: string): number {
  let requests = 0;
  let spanMs = 0;
  for (const name of [stableOf(service), version]) {
    const counts = windows.counts(service.name, name, RATE_WINDOW_MS);
    requests += counts?.requests ?? 0;
    spanMs = Math.max(spanMs, counts?.spanMs ?? 0);
  }
  return spanMs === 0 ? 0 : (requests / spanMs) * 1_000;
}
