import type { ServerResponse } from 'node:http';
import type { LiveEvent, LiveSink } from '../control/api.ts';
import type { Log } from '../ports.ts';

/** What a reader has not taken yet, in bytes, when the next event comes; one that has more is dropped. */
const MAX_UNREAD_BYTES = 256 * 1024;
export const MAX_STREAMS = 64;
/** For readers that connect again by themselves. */
const RETRY_MS = 2_000;

/** Begins to tell; returns what ends it. */
export type Watch = (sink: LiveSink) => () => void;

/** The streams of events that are open: so many at most, and none that is not read. */
export class Streams {
  readonly #log: Log;
  readonly #open = new Set<Stream>();
  /** The same event goes to many streams, and is put into words once. */
  readonly #texts = new WeakMap<LiveEvent, string>();
  #closed = false;
  #dropped = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  counts(): { readonly open: number; readonly dropped: number } {
    return { open: this.#open.size, dropped: this.#dropped };
  }

  /** Whether another stream may be opened. */
  get hasRoom(): boolean {
    return !this.#closed && this.#open.size < MAX_STREAMS;
  }

  /** Answers with a stream until the reader goes, is too slow, or `close` is called. */
  open(response: ServerResponse, headers: Readonly<Record<string, string>>, watch: Watch): void {
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      // So that the socket goes with the stream.
      connection: 'close',
      // NGINX would hold events back otherwise.
      'x-accel-buffering': 'no',
    });
    const stream: Stream = { response, unwatch: null };
    this.#open.add(stream);
    response.on('close', () => this.#forget(stream));
    // A reader that went away is told by `close`; a write that fails after it is no news.
    response.on('error', () => undefined);
    response.write(`retry: ${RETRY_MS}\n\n`);
    stream.unwatch = watch((event) => this.#send(stream, event));
    if (!this.#open.has(stream)) stream.unwatch();
  }

  /** Ends all streams; none is opened any more. */
  close(): void {
    this.#closed = true;
    for (const stream of [...this.#open]) {
      this.#forget(stream);
      stream.response.end();
    }
  }

  #send(stream: Stream, event: LiveEvent): void {
    if (!this.#open.has(stream)) return;
    const { response } = stream;
    const unreadBytes = response.writableLength;
    if (unreadBytes > MAX_UNREAD_BYTES) {
      this.#forget(stream);
      response.destroy();
      this.#dropped++;
      this.#log.warn({ unreadBytes }, 'a reader of events was too slow and was dropped');
      return;
    }
    response.write(this.#textOf(event));
  }

  #textOf(event: LiveEvent): string {
    const held = this.#texts.get(event);
    if (held !== undefined) return held;
    const text = eventText(event);
    this.#texts.set(event, text);
    return text;
  }

  #forget(stream: Stream): void {
    this.#open.delete(stream);
    stream.unwatch?.();
    stream.unwatch = null;
  }
}

interface Stream {
  readonly response: ServerResponse;
  unwatch: (() => void) | null;
}

/**
 * The event's kind as its name, what it holds as its data: JSON on one line. Without ids, for nothing is
 * sent twice: who connects again is told how things stand, and reads what they missed where it is kept.
 */
export function eventText(event: LiveEvent): string {
  return `event: ${event.kind}\ndata: ${JSON.stringify(dataOf(event))}\n\n`;
}

function dataOf({ kind: _, ...data }: LiveEvent): object {
  return data;
}
