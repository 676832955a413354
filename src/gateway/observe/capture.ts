/** What all answers together hold that are being copied or wait to be read. */
export class Memory {
  bytes = 0;
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get full(): boolean {
    return this.bytes >= this.maxBytes;
  }
}

/** `too_large`: over the service's limit; `shed`: all captures together hold too much. */
export type CaptureState = 'open' | 'whole' | 'too_large' | 'shed' | 'released';

/** What of an answer's head matters to its reader. */
export interface AnswerHead {
  readonly type: string;
  readonly encoding: string;
  /** -1 where none was named. */
  readonly length: number;
}

/** A copy of an answer's body while it passes; bounded alone and together with all others. */
export class Capture {
  readonly head: AnswerHead;
  state: CaptureState = 'open';
  /** Monotonic, ms: when the first of the body came and when the last had; -1 until then. */
  firstMs = -1;
  endMs = -1;
  readonly #nowMs: () => number;
  readonly #memory: Memory;
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(memory: Memory, maxBytes: number, head: AnswerHead, nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#memory = memory;
    this.#maxBytes = maxBytes;
    this.head = head;
    if (head.length > maxBytes) this.state = 'too_large';
  }

  add(chunk: Buffer): void {
    if (this.state !== 'open') return;
    if (this.firstMs < 0) this.firstMs = this.#nowMs();
    if (this.#bytes + chunk.length > this.#maxBytes) return this.#giveUp('too_large');
    if (this.#memory.bytes + chunk.length > this.#memory.maxBytes) return this.#giveUp('shed');
    // A copy: the chunk is a slice of a far larger block that would be kept whole.
    this.#chunks.push(Buffer.from(chunk));
    this.#bytes += chunk.length;
    this.#memory.bytes += chunk.length;
  }

  end(): void {
    if (this.state !== 'open') return;
    this.state = 'whole';
    this.endMs = this.#nowMs();
  }

  /** The whole body; it stays held until `release`. */
  body(): Buffer {
    const [first] = this.#chunks;
    return this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
  }

  release(): void {
    this.#giveUp('released');
  }

  #giveUp(state: CaptureState): void {
    this.state = state;
    this.#memory.bytes -= this.#bytes;
    this.#bytes = 0;
    this.#chunks = [];
  }
}

/** From a flat list of names and values, as texts or as the bytes that came. */
export function answerHead(flat: readonly (string | Buffer)[]): AnswerHead {
  let type = '';
  let encoding = '';
  let length = -1;
  for (let i = 0; i + 1 < flat.length; i += 2) {
    // Told by its length first: most headers are none of these.
    const { length: size } = flat[i] as string | Buffer;
    if (size !== 12 && size !== 14 && size !== 16) continue;
    const name = String(flat[i]).toLowerCase();
    if (name === 'content-type') type = String(flat[i + 1]).toLowerCase();
    else if (name === 'content-encoding')
      encoding = String(flat[i + 1])
        .trim()
        .toLowerCase();
    else if (name === 'content-length') length = Number(String(flat[i + 1]));
  }
  return { type, encoding, length };
}
