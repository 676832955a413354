/** As many of a service outlive the process: 400 KB of text. */
const MAX_KEPT = 50_000;
/** 48 bits: a slot of 47, and whether an event was counted. */
const BYTES = 6;
/** What BYTES are in base64. */
const CHARS = 8;

/** The pairs of prediction and KPI of one service that were counted last, as they are written down. */
export class Recent {
  #entries: number[] = [];
  readonly #max: number;

  constructor(max = MAX_KEPT) {
    this.#max = max;
  }

  /** @param slot 47 bits */
  add(slot: number, event: boolean): void {
    this.#entries.push(slot * 2 + (event ? 1 : 0));
    if (this.#entries.length >= 2 * this.#max) this.#entries = this.#entries.slice(-this.#max);
  }

  /** Six bytes each, oldest first, in base64. */
  text(): string {
    const kept = this.#entries.slice(-this.#max);
    const bytes = Buffer.allocUnsafe(kept.length * BYTES);
    for (const [i, entry] of kept.entries()) bytes.writeUIntBE(entry, i * BYTES, BYTES);
    return bytes.toString('base64');
  }
}

/** What `text` wrote, oldest first; what is left at the end of a text that was cut is left out. */
export function readRecent(text: string): readonly { readonly slot: number; readonly event: boolean }[] {
  const bytes = Buffer.from(text.slice(0, text.length - (text.length % CHARS)), 'base64');
  return Array.from({ length: Math.floor(bytes.length / BYTES) }, (_, i) => {
    const entry = bytes.readUIntBE(i * BYTES, BYTES);
    return { slot: Math.floor(entry / 2), event: entry % 2 === 1 };
  });
}
