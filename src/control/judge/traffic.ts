import { quantileOf } from '../../core/analysis/tally-read.ts';
import type { JudgePlan } from '../../core/judge/gates.ts';
import type { Windows } from '../windows.ts';
import type { Frozen } from './dress.ts';

/** Stable's own latency is frozen from as many requests of the last so many milliseconds. */
const FROZEN_FROM_MS = 600_000;
const FROZEN_REQUESTS = 1_000;
const RATE_WINDOW_MS = 60_000;

/** Requests a second that these versions get together lately. */
export function ratePerS(windows: Windows, service: string, versions: readonly string[]): number {
  let requests = 0;
  let spanMs = 0;
  for (const version of versions) {
    const traffic = windows.traffic(service, version, RATE_WINDOW_MS);
    if (traffic === null) continue;
    requests += traffic.requests;
    spanMs = Math.max(spanMs, traffic.spanMs);
  }
  return spanMs === 0 ? 0 : (requests / spanMs) * 1_000;
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
