/**
 * Numbers by step, of the last `capacity` steps. What was not set is NaN: nothing is known of
 * that step. Room is taken a chunk at a time, and none by what was never set.
 */
export class Column {
  readonly #capacity: number;
  readonly #chunkLength: number;
  readonly #chunks: (Float32Array | null)[];
  #last = -1;

  constructor(capacity: number, chunkLength: number) {
    this.#capacity = capacity;
    this.#chunkLength = chunkLength;
    this.#chunks = Array.from({ length: Math.ceil(capacity / chunkLength) }, () => null);
  }

  /** The last step set; -1: none. */
  get last(): number {
    return this.#last;
  }

  /** Steps rise from call to call. NaN sets nothing. */
  set(step: number, value: number): void {
    if (Number.isNaN(value)) return;
    const first = Math.max(this.#last + 1, step - this.#capacity + 1);
    for (let skipped = first; skipped < step; skipped++) this.#clear(skipped);
    const position = step % this.#capacity;
    const index = Math.floor(position / this.#chunkLength);
    this.#chunks[index] ??= new Float32Array(this.#chunkLength).fill(Number.NaN);
    this.#chunks[index][position % this.#chunkLength] = value;
    this.#last = step;
  }

  at(step: number): number {
    if (step < 0 || step > this.#last || step <= this.#last - this.#capacity) return Number.NaN;
    const position = step % this.#capacity;
    const chunk = this.#chunks[Math.floor(position / this.#chunkLength)];
    return chunk?.[position % this.#chunkLength] ?? Number.NaN;
  }

  #clear(step: number): void {
    const position = step % this.#capacity;
    const chunk = this.#chunks[Math.floor(position / this.#chunkLength)];
    if (chunk != null) chunk[position % this.#chunkLength] = Number.NaN;
  }
}
