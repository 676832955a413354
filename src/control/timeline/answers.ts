import { increaseOf } from '../../core/analysis/tally-read.ts';
import { PAIR } from '../../core/arms.ts';
import type { ArmTotals, PairTotals } from '../../tally/arms-lifetime.ts';
import type { Gain } from './gain.ts';
import type { PairGain } from './series.ts';

/** What answers said from one look to the next; `before` null: all of it was said since. */
export function addAnswers(gain: Gain, before: ArmTotals | null, after: ArmTotals): void {
  const base = before !== null && follows(before, after) ? before : null;
  gain.classes ??= new Map();
  for (const [name, count] of after.classes) {
    const risen = count - (base?.classes.get(name) ?? 0);
    gain.classes.set(name, (gain.classes.get(name) ?? 0) + risen);
  }
  const bins = after.confidence.length;
  for (let bin = 0; bin < bins; bin++) {
    const risen = (after.confidence[bin] as number) - (base?.confidence[bin] ?? 0);
    gain.confident += risen;
    gain.confidenceSum += risen * ((bin + 0.5) / bins);
  }
}

/** One counter that fell means that all began again. */
function follows(before: ArmTotals, after: ArmTotals): boolean {
  for (const [name, count] of before.classes) if ((after.classes.get(name) ?? 0) < count) return false;
  return after.confidence.every((count, bin) => count >= (before.confidence[bin] as number));
}

export function pairGain(before: PairTotals | null, after: PairTotals): PairGain {
  const risen = (pair: number) => increaseOf(before?.counts[pair] ?? 0, after.counts[pair] ?? 0);
  return { agree: risen(PAIR.agree), disagree: risen(PAIR.disagree) };
}
