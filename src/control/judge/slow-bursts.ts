import { type BurstCount, BurstMeter } from '../../core/judge/bursts.ts';

/** What of an arm's slow answers came in bursts, by index into `firstSlow`, told look by look. */
export class SlowBursts {
  readonly #meters: readonly BurstMeter[];
  readonly #seen: Float64Array;

  constructor(length: number) {
    this.#meters = Array.from({ length }, () => new BurstMeter());
    this.#seen = new Float64Array(length);
  }

  /** What is there already came in no look. */
  skip(firstSlow: Float64Array): void {
    this.#seen.set(firstSlow);
  }

  /** @param requests since the last look */
  look(atMs: number, requests: number, firstSlow: Float64Array): void {
    for (let i = 0; i < this.#meters.length; i++) {
      const events = firstSlow[i]! - this.#seen[i]!;
      this.#meters[i]!.add({ atMs, requests, events });
    }
    this.#seen.set(firstSlow);
  }

  /** A slice ends. */
  restart(): void {
    for (const meter of this.#meters) meter.restart();
  }

  /**
   * Since the last `restart`, by gate; those without a burst are left out. Of one that began in the slice before there
   * are events alone: they are of a burst, and it is counted there.
   */
  counts(names: readonly string[]): Readonly<Record<string, BurstCount>> {
    const found: [string, BurstCount][] = [];
    for (let i = 0; i < this.#meters.length; i++) {
      const { count } = this.#meters[i]!;
      const name = names[i];
      if (count.events > 0 && name !== undefined) found.push([name, count]);
    }
    return found.length === 0 ? NONE : Object.fromEntries(found);
  }
}

const NONE = Object.freeze({});
