/** So many a second on average; what was not used is kept for a second and no longer. */
export class RateLimit {
  readonly #perSecond: number;
  #tokens: number;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
  }

  /** `nowMs`: monotonic. */
  take(nowMs: number): boolean {
    const earned = ((nowMs - this.#lastMs) / 1_000) * this.#perSecond;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + earned);
    this.#lastMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
