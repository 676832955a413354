import { increaseOf } from '../../core/analysis/tally-read.ts';
import { PAIR } from '../../core/arms.ts';
import type { AnswerTotals, PairTotals } from '../../tally/arms-lifetime.ts';
import type { Gain } from './gain.ts';
import type { PairGain } from './series.ts';

/** What answers said from one look to the next; `before` null: all of it was said since. */
export function addAnswers(gain: Gain, before: AnswerTotals | null, after: AnswerTotals): void {
  // Counters that fell began again at 0.
  const base = before !== null && sum(before) <= sum(after) ? before : null;
  gain.classes ??= new Map();
  for (const [name, count] of after.classes) {
    const risen = count - (base?.classes.get(name) ?? 0);
    // One class alone may fall: among very many it is told as another.
    if (risen > 0) gain.classes.set(name, (gain.classes.get(name) ?? 0) + risen);
  }
  const sure = base !== null && base.confident <= after.confident ? base : null;
  gain.confident += after.confident - (sure?.confident ?? 0);
  gain.confidenceSum += after.confidenceSum - (sure?.confidenceSum ?? 0);
}

function sum({ classes }: AnswerTotals): number {
  let total = 0;
  for (const count of classes.values()) total += count;
  return total;
}

export function pairGain(before: PairTotals | null, after: PairTotals): PairGain {
  const risen = (pair: number) => increaseOf(before?.counts[pair] ?? 0, after.counts[pair] ?? 0);
  return { agree: risen(PAIR.agree), disagree: risen(PAIR.disagree) };
}
