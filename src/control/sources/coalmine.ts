import type { TallyRead } from '../../core/analysis/plan.ts';
import type { Outcome } from '../../core/analysis/state.ts';
import { readTally } from '../../core/analysis/tally-read.ts';
import type { MeasureContext } from '../../ports.ts';
import type { Windows } from '../windows.ts';

/**
 * Reads the gateway's own counters. Of the window only what lies within the run
 * counts: a canary that was taken back and mended, or a step with other users,
 * is not judged by what was there before.
 */
export function readCounters(
  windows: Windows,
  read: TallyRead,
  { service, canary, stable, runningMs }: MeasureContext,
): Outcome {
  return readTally(
    read,
    windows.counts(service, canary, read.windowMs, runningMs),
    windows.counts(service, stable, read.windowMs, runningMs),
  );
}

/** Requests that the canary has answered since the run began. */
export function countSamples(windows: Windows, { service, canary, runningMs }: MeasureContext): number {
  return windows.counts(service, canary, Number.POSITIVE_INFINITY, runningMs)?.requests ?? 0;
}
