import type { IncomingMessage } from 'node:http';

/** Framing beyond the data that a chunked request may spend: a fixed part and so much per data byte. */
const FRAMING_FIXED_BYTES = 64 * 1024;
const FRAMING_PER_DATA_BYTE = 16;

export interface BodyWatcher {
  /** Data that passed on its way to the upstream; the chunk is valid during the call only. */
  onChunk(chunk: Buffer): void;
  onEnd(): void;
}

/**
 * Looks on while a request's body is read by the upstream's writer, without
 * starting or slowing the reading: its listener is added in the very moment in
 * which the writer starts the flow.
 */
export function watchBody(req: IncomingMessage, watcher: BodyWatcher): void {
  req.once('resume', () => {
    req.on('data', (chunk: Buffer) => watcher.onChunk(chunk));
    req.once('end', () => watcher.onEnd());
  });
}

/**
 * Bounds a chunked body, whose length no header tells: its data, and what it
 * spends on chunk extensions and tiny chunks (Node bounds extensions per chunk
 * only, CVE-2024-22019).
 */
export class ChunkedBodyLimit implements BodyWatcher {
  readonly #req: IncomingMessage;
  readonly #maxBytes: number;
  readonly #startBytes: number;
  readonly #onExceeded: () => void;
  #dataBytes = 0;

  constructor(req: IncomingMessage, maxBytes: number, onExceeded: () => void) {
    this.#req = req;
    this.#maxBytes = maxBytes;
    this.#startBytes = req.socket.bytesRead;
    this.#onExceeded = onExceeded;
  }

  onChunk(chunk: Buffer): void {
    this.#dataBytes += chunk.length;
    const framing = this.#req.socket.bytesRead - this.#startBytes - this.#dataBytes;
    const allowed = FRAMING_FIXED_BYTES + this.#dataBytes * FRAMING_PER_DATA_BYTE;
    if (this.#dataBytes > this.#maxBytes || framing > allowed) this.#onExceeded();
  }

  onEnd(): void {}
}
