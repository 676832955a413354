/** One server-sent event, as it came. */
export interface Message {
  readonly event: string;
  readonly data: string;
}

/** A stream that never ends a line is none of ours. */
const MAX_PENDING_CHARS = 8 * 1024 * 1024;

/**
 * Reads `text/event-stream` piece by piece, however it was cut. Comments keep a
 * connection awake and are left out, so are events without data. Throws when a line grows
 * without end.
 */
export class SseParser {
  #rest = '';
  #event = '';
  #data: string[] = [];
  #started = false;

  push(text: string): Message[] {
    this.#rest += this.#started ? text : text.replace(/^\uFEFF/, '');
    this.#started ||= text !== '';
    const found: Message[] = [];
    for (;;) {
      const end = lineEnd(this.#rest);
      if (end === null) break;
      this.#line(this.#rest.slice(0, end.at), found);
      this.#rest = this.#rest.slice(end.next);
    }
    if (this.#rest.length > MAX_PENDING_CHARS)
      throw new Error('the stream of events has a line without an end');
    return found;
  }

  #line(line: string, found: Message[]): void {
    if (line === '') {
      if (this.#data.length > 0) found.push({ event: this.#event || 'message', data: this.#data.join('\n') });
      this.#event = '';
      this.#data = [];
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
  }
}

/** Lines end with LF, CR or CRLF; a CR at the end of a piece may be half of one. */
function lineEnd(text: string): { at: number; next: number } | null {
  const at = text.search(/[\r\n]/);
  if (at < 0) return null;
  if (text[at] === '\n') return { at, next: at + 1 };
  if (at + 1 === text.length) return null;
  return { at, next: text[at + 1] === '\n' ? at + 2 : at + 1 };
}
