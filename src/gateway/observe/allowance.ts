/** A token bucket: so much a second, and at most a second's worth saved up. Full at first. */
export class Allowance {
  /** May go below zero: what was spent too much is paid back first. */
  #left = Number.POSITIVE_INFINITY;
  #atMs = 0;

  /** What may be spent at `nowMs`; the rate is an argument because a reload may change it. */
  left(perSecond: number, nowMs: number, capacity = perSecond): number {
    const earned = (Math.max(nowMs - this.#atMs, 0) * perSecond) / 1_000;
    this.#left = Math.min(capacity, this.#left + earned);
    this.#atMs = nowMs;
    return this.#left;
  }

  spend(amount: number): void {
    this.#left -= amount;
  }
}
