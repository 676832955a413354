import { PAIR, type PairTally } from '../../core/arms.ts';
import { addPairs, type ShadowPairs } from '../../core/judge/evidence.ts';
import { isEqual, keepNewest } from './counts.ts';

/** A rate is that of about so many milliseconds. */
const RATE_MS = 30_000;

/** Reads the pair tallies of one service, which only rise. */
export class PairReader {
  /** As they were at the last look, by stage. */
  readonly #seen = new Map<number, Float64Array>();
  #tookAtMs: number | null = null;
  #perS: number | null = null;

  /** What is there already counts for nothing. */
  skip(pairs: readonly PairTally[]): void {
    for (const { stage, counts } of pairs) this.#seen.set(stage, counts.slice());
  }

  /** What came since the last look; null: nothing. */
  take(pairs: readonly PairTally[], nowMs: number): ShadowPairs | null {
    let added: ShadowPairs | null = null;
    for (const { stage, counts } of pairs) {
      const seen = this.#seen.get(stage);
      if (seen !== undefined && isEqual(counts, seen)) continue;
      const more = pairsSince(counts, seen);
      added = added === null ? more : addPairs(added, more);
      this.#seen.set(stage, counts.slice());
      keepNewest(this.#seen);
    }
    this.#rate(added === null ? 0 : added.agree + added.disagree, nowMs);
    return added;
  }

  /** Pairs a second that could be compared, lately; null: there was none yet. */
  get perS(): number | null {
    return this.#perS;
  }

  #rate(told: number, nowMs: number): void {
    const spanMs = this.#tookAtMs === null ? 0 : nowMs - this.#tookAtMs;
    this.#tookAtMs = nowMs;
    if (spanMs <= 0 || (told === 0 && this.#perS === null)) return;
    const perS = (told / spanMs) * 1_000;
    const part = Math.min(1, spanMs / RATE_MS);
    this.#perS = this.#perS === null ? perS : this.#perS + part * (perS - this.#perS);
  }
}

function pairsSince(counts: Float64Array, seen: Float64Array | undefined): ShadowPairs {
  const more = (at: number) => (counts[at] ?? 0) - (seen?.[at] ?? 0);
  return {
    agree: more(PAIR.agree),
    disagree: more(PAIR.disagree),
    refused: more(PAIR.refused),
    incomparable: more(PAIR.incomparable),
  };
}
