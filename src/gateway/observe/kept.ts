/** A mirrored request whose answers did not agree; both are redacted. */
export interface Disagreement {
  /** Wall clock, ms. */
  readonly atMs: number;
  readonly requestId: string;
  readonly clientVersion: string;
  readonly shadowVersion: string;
  readonly client: unknown;
  readonly shadow: unknown;
}

/** Whatever the config asks for, no service holds more than this of answers as they were sent. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

/** The newest disagreements of one service. */
export class KeptPairs {
  #kept: { readonly pair: Disagreement; readonly bytes: number }[] = [];
  #bytes = 0;

  /** @param bytes of both answers as they came, decoded */
  add(pair: Disagreement, bytes: number, max: number): void {
    this.#kept.push({ pair, bytes });
    this.#bytes += bytes;
    this.bound(max);
  }

  /** Forgets the oldest beyond `max`. */
  bound(max: number): void {
    while (this.#kept.length > max || this.#bytes > MAX_KEPT_BYTES) {
      const oldest = this.#kept.shift();
      if (oldest === undefined) return;
      this.#bytes -= oldest.bytes;
    }
  }

  /** Oldest first. */
  list(): readonly Disagreement[] {
    return this.#kept.map(({ pair }) => pair);
  }
}
