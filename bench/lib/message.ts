/**
 * Cuts a byte stream into HTTP/1.1 messages, for the bench's own origin and
 * clients only. It trusts its peers (all run on loopback, started by the bench)
 * and reads nothing but the framing, so that both stay far cheaper than the
 * proxies that are measured between them.
 */
type State = 'head' | 'fixed' | 'chunk-size' | 'chunk-data' | 'trailer';

const CONTENT_LENGTH = /\r\ncontent-length:[ \t]*(\d+)/i;
const CHUNKED = /\r\ntransfer-encoding:[ \t]*chunked/i;

export class MessageReader {
  readonly #onMessage: (head: string) => void;
  #state: State = 'head';
  /** What came of an unfinished head or chunk-size line. */
  #text = '';
  #head = '';
  /** Body bytes still to come in `fixed` and `chunk-data`. */
  #left = 0;

  /** `onMessage` is called at the end of each message, with its head (start line and headers). */
  constructor(onMessage: (head: string) => void) {
    this.#onMessage = onMessage;
  }

  feed(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === 'fixed' || this.#state === 'chunk-data') at = this.#skipBody(bytes, at);
      else at = this.#readText(bytes, at);
    }
  }

  #skipBody(bytes: Buffer, at: number): number {
    const taken = Math.min(this.#left, bytes.length - at);
    this.#left -= taken;
    if (this.#left === 0) {
      if (this.#state === 'fixed') this.#finish();
      else this.#state = 'chunk-size';
    }
    return at + taken;
  }

  #readText(bytes: Buffer, at: number): number {
    const end = this.#state === 'head' ? '\r\n\r\n' : '\r\n';
    const held = this.#text.length;
    const text = this.#text + bytes.toString('latin1', at);
    const found = text.indexOf(end, Math.max(0, held - 3));
    if (found < 0) {
      this.#text = text;
      return bytes.length;
    }
    this.#text = '';
    const line = text.slice(0, found);
    if (this.#state === 'head') this.#endHead(line);
    else if (this.#state === 'chunk-size') this.#endChunkSize(line);
    else if (line === '') this.#finish();
    return at + found + end.length - held;
  }

  #endHead(head: string): void {
    this.#head = head;
    const length = CONTENT_LENGTH.exec(head);
    if (length !== null && length[1] !== '0') {
      this.#left = Number(length[1]);
      this.#state = 'fixed';
    } else if (length === null && CHUNKED.test(head)) {
      this.#state = 'chunk-size';
    } else {
      this.#finish();
    }
  }

  #endChunkSize(line: string): void {
    const size = Number.parseInt(line, 16);
    if (size === 0) {
      this.#state = 'trailer';
    } else {
      this.#left = size + 2;
      this.#state = 'chunk-data';
    }
  }

  #finish(): void {
    this.#state = 'head';
    const head = this.#head;
    this.#head = '';
    this.#onMessage(head);
  }
}
