import type { Clock, Log } from '../../ports.ts';
import { type Capture, Memory } from './capture.ts';
import { type Decoded, decode, isEncoded } from './decode.ts';

/** Answers that were taken whole and are to be read, one or a pair. */
export interface Readable {
  readonly captures: readonly Capture[];
  /** Of each answer, decoded. */
  readonly maxBytes: number;
  /** Whether there is CPU left to read it with. */
  mayRead(nowMs: number): boolean;
  /** Milliseconds of CPU that reading took. */
  charge(ms: number): void;
  /** `decoded` in the order of `captures`. */
  read(decoded: readonly Decoded[]): void;
  /** It is not read. */
  shed(): void;
  /** Reading threw: what is not counted yet counts as unreadable. */
  fail(): void;
}

/** Bodies that are copied or wait, over all services. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;
const MAX_QUEUED = 1_024;
/** zlib works in Node's four threads, which resolve names as well. */
const MAX_DECODING = 2;
/** Decoded and not yet read. */
const MAX_DECODED = 32;
/** How long the event loop is kept from its requests in one go, but for the end of the last reading. */
const SLICE_MS = 1;
/** What zlib unpacks in a millisecond on a modest core; its threads' time cannot be measured from here. */
const UNPACKED_BYTES_PER_MS = 150_000;

interface Entry {
  readonly item: Readable;
  readonly decoded: Decoded[];
}

/**
 * Reads answers after their clients have them: in slices between the turns of the
 * event loop, within the CPU that each service gives. What finds no room or no
 * CPU is shed and never waits.
 */
export class ReadQueue {
  readonly memory = new Memory(MAX_HELD_BYTES);
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #encoded: Entry[] = [];
  readonly #ready: Entry[] = [];
  #decoding = 0;
  #scheduled = false;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Answers that are being decoded or wait. */
  get size(): number {
    return this.#encoded.length + this.#decoding + this.#ready.length;
  }

  submit(item: Readable): void {
    if (this.size >= MAX_QUEUED) return item.shed();
    const entry: Entry = { item, decoded: [] };
    if (item.captures.some(isEncoded)) this.#encoded.push(entry);
    else this.#ready.push(entry);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    const endMs = this.#clock.nowMs() + SLICE_MS;
    for (let entry = this.#ready.shift(); entry !== undefined; entry = this.#ready.shift()) {
      if (this.#read(entry) >= endMs) break;
    }
    this.#startDecoding();
    if (this.#ready.length > 0) this.#schedule();
  }

  /** Returns when it was over. */
  #read({ item, decoded }: Entry): number {
    const startMs = this.#clock.nowMs();
    const allowed = item.mayRead(startMs);
    try {
      if (allowed) item.read(decoded.length > 0 ? decoded : item.captures.map(asSent));
      else item.shed();
    } catch (error) {
      this.#log.debug({ err: error }, 'an answer could not be read');
      item.fail();
    }
    for (const each of decoded) this.memory.bytes -= unpackedBytes(each);
    const nowMs = this.#clock.nowMs();
    if (allowed) item.charge(nowMs - startMs);
    return nowMs;
  }

  #startDecoding(): void {
    while (this.#decoding < MAX_DECODING && this.#ready.length < MAX_DECODED) {
      const entry = this.#encoded.shift();
      if (entry === undefined) return;
      if (entry.item.mayRead(this.#clock.nowMs())) {
        this.#decoding++;
        this.#decodeNext(entry);
      } else entry.item.shed();
    }
  }

  #decodeNext(entry: Entry): void {
    const { item, decoded } = entry;
    const capture = item.captures[decoded.length];
    if (capture === undefined) {
      this.#decoding--;
      this.#ready.push(entry);
      return this.#schedule();
    }
    if (!isEncoded(capture)) {
      decoded.push(asSent(capture));
      return this.#decodeNext(entry);
    }
    decode(capture, item.maxBytes, (result) => {
      decoded.push(result);
      item.charge(
        (result.kind === 'too_large' ? item.maxBytes : unpackedBytes(result)) / UNPACKED_BYTES_PER_MS,
      );
      this.memory.bytes += unpackedBytes(result);
      this.#decodeNext(entry);
    });
  }
}

function asSent(capture: Capture): Decoded {
  return { kind: 'bytes', bytes: capture.body(), unpacked: false };
}

/** What a decoded answer holds beside its capture. */
function unpackedBytes(decoded: Decoded): number {
  return decoded.kind === 'bytes' && decoded.unpacked ? decoded.bytes.length : 0;
}
