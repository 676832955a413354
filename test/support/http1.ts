/**
 * A strict reader of HTTP/1.1 messages, for tests only.
 *
 * It shares no code with the parsers under test and forgives nothing: whatever
 * two parsers could read in two ways is a violation, so an upstream that uses
 * it can say "nothing ambiguous reached me", and a client that uses it can say
 * "this answer was whole".
 */

export type HeaderLine = readonly [name: string, value: string];
export type Framing = 'none' | 'length' | 'chunked' | 'close' | 'tunnel';

/** One request or answer as far as it has come. */
export interface WireMessage {
  readonly startLine: string;
  /** Of a request; '' for an answer. */
  readonly method: string;
  readonly target: string;
  /** Of an answer; 0 for a request. */
  readonly status: number;
  /** Names as they came; compare them without case. */
  readonly headers: readonly HeaderLine[];
  readonly framing: Framing;
  readonly chunks: Buffer[];
  bodyBytes: number;
  readonly trailers: HeaderLine[];
  /** The body's end was seen as its framing tells it; for `close` the peer's orderly end. */
  complete: boolean;
}

/** All values of one header, in their order; [] where there is none. */
export function valuesOf(message: WireMessage, name: string): string[] {
  const wanted = name.toLowerCase();
  return message.headers.filter(([held]) => held.toLowerCase() === wanted).map(([, value]) => value);
}

/** The values of one header as one list, or undefined where there is none. */
export function headerOf(message: WireMessage, name: string): string | undefined {
  const values = valuesOf(message, name);
  return values.length === 0 ? undefined : values.join(', ');
}

export function bodyOf(message: WireMessage): Buffer {
  return Buffer.concat(message.chunks);
}

export function textOf(message: WireMessage): string {
  return bodyOf(message).toString('utf8');
}

export interface ReaderOptions {
  readonly kind: 'request' | 'answer';
  /** The method that the next answer belongs to; HEAD has no body. */
  readonly methodOfNext?: () => string;
  /** Count body bytes without keeping them. */
  readonly discardBody?: boolean;
  readonly onHead?: (message: WireMessage) => void;
  readonly onData?: (message: WireMessage, chunk: Buffer) => void;
  readonly onEnd?: (message: WireMessage) => void;
}

class Violation extends Error {}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const REQUEST_LINE = new RegExp(`^(${TOKEN}) ([\\x21-\\x7e]+) HTTP/1\\.1$`);
const STATUS_LINE = /^HTTP\/1\.1 ([1-9][0-9][0-9]) ([\t\x20-\x7e]*)$/;
const HEADER_LINE = new RegExp(`^(${TOKEN}):[ \\t]*(.*?)[ \\t]*$`, 's');
const CHUNK_LINE = /^([0-9A-Fa-f]{1,8})((?:;[\x20-\x7e\t]*)?)$/;
const HEAD_LIMIT_BYTES = 1 << 20;
const EMPTY: Buffer = Buffer.alloc(0);

/** Feed it bytes with `push`, and `finish` when the peer ended its side. */
export class MessageReader {
  /** Why reading stopped; once set, nothing more is read. */
  violation: string | null = null;
  /** The message whose body is being read. */
  current: WireMessage | null = null;
  private readonly options: ReaderOptions;
  private pending: Buffer = EMPTY;
  private part: 'head' | 'length' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailers' | 'rest' = 'head';
  private missing = 0;

  constructor(options: ReaderOptions) {
    this.options = options;
  }

  /** Bytes that belong to no finished message yet. */
  get leftOver(): number {
    return this.pending.length;
  }

  push(bytes: Buffer): void {
    if (this.violation !== null) return;
    this.pending = this.pending.length === 0 ? bytes : Buffer.concat([this.pending, bytes]);
    try {
      while (this.step());
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.violation = error.message;
    }
  }

  finish(): void {
    if (this.violation !== null) return;
    if (this.part === 'rest' && this.current !== null) {
      this.end();
      return;
    }
    if (this.current === null && this.pending.length > 0) this.violation = 'ended inside a head';
  }

  /** One step of reading; false when more bytes are needed. */
  private step(): boolean {
    switch (this.part) {
      case 'head':
        return this.readHead();
      case 'length':
        return this.readLength();
      case 'chunk-size':
        return this.readChunkSize();
      case 'chunk-data':
        return this.readChunkData();
      case 'chunk-end':
        return this.readChunkEnd();
      case 'trailers':
        return this.readTrailers();
      case 'rest':
        return this.readRest();
    }
  }

  private readHead(): boolean {
    if (this.pending.length === 0) return false;
    const end = endOfLines(this.pending);
    if (end < 0) return false;
    const lines = this.take(end + 4)
      .toString('latin1', 0, end)
      .split('\r\n');
    const message = readMessage(lines, this.options);
    this.current = message;
    this.options.onHead?.(message);
    switch (message.framing) {
      case 'none':
        this.end();
        break;
      case 'length':
        this.missing = Number(valuesOf(message, 'content-length')[0]);
        this.part = 'length';
        break;
      case 'chunked':
        this.part = 'chunk-size';
        break;
      default:
        this.part = 'rest';
    }
    return true;
  }

  private readLength(): boolean {
    this.body();
    if (this.missing > 0) return false;
    this.end();
    return true;
  }

  private readChunkSize(): boolean {
    const line = this.takeLine();
    if (line === null) return false;
    const match = CHUNK_LINE.exec(line);
    if (match === null) throw new Violation(`bad chunk line ${JSON.stringify(line)}`);
    this.missing = Number.parseInt(match[1] as string, 16);
    this.part = this.missing === 0 ? 'trailers' : 'chunk-data';
    return true;
  }

  private readChunkData(): boolean {
    this.body();
    if (this.missing > 0) return false;
    this.part = 'chunk-end';
    return true;
  }

  private readChunkEnd(): boolean {
    const line = this.takeLine();
    if (line === null) return false;
    if (line !== '') throw new Violation('bytes after a chunk');
    this.part = 'chunk-size';
    return true;
  }

  private readTrailers(): boolean {
    const line = this.takeLine();
    if (line === null) return false;
    if (line === '') this.end();
    else this.current?.trailers.push(readHeaderLine(line));
    return true;
  }

  private readRest(): boolean {
    if (this.pending.length > 0) this.keep(this.take(this.pending.length));
    return false;
  }

  private body(): void {
    const part = this.take(Math.min(this.missing, this.pending.length));
    this.missing -= part.length;
    if (part.length > 0) this.keep(part);
  }

  private keep(part: Buffer): void {
    const message = this.current;
    if (message === null) return;
    message.bodyBytes += part.length;
    if (this.options.discardBody !== true) message.chunks.push(part);
    this.options.onData?.(message, part);
  }

  private end(): void {
    const message = this.current;
    this.current = null;
    this.part = 'head';
    if (message === null) return;
    message.complete = true;
    this.options.onEnd?.(message);
  }

  private take(bytes: number): Buffer {
    const part = this.pending.subarray(0, bytes);
    this.pending = this.pending.subarray(bytes);
    return part;
  }

  private takeLine(): string | null {
    const end = this.pending.indexOf('\n');
    if (end < 0) return null;
    const line = this.take(end + 1).toString('latin1');
    if (!line.endsWith('\r\n') || line.indexOf('\r') !== line.length - 2)
      throw new Violation('bare CR or LF');
    return line.slice(0, -2);
  }
}

/** Where the lines before an empty line end, or -1; every line end must be CR LF. */
function endOfLines(bytes: Buffer): number {
  const end = bytes.indexOf('\r\n\r\n');
  const stop = end < 0 ? bytes.length : end;
  for (let at = bytes.indexOf('\n'); at >= 0 && at < stop; at = bytes.indexOf('\n', at + 1)) {
    if (at === 0 || bytes[at - 1] !== 0x0d) throw new Violation('bare LF in a head');
  }
  if (end < 0 && bytes.length > HEAD_LIMIT_BYTES) throw new Violation('head without an end');
  return end;
}

function readMessage(lines: readonly string[], options: ReaderOptions): WireMessage {
  const startLine = lines[0] as string;
  const headers = lines.slice(1).map(readHeaderLine);
  const request = options.kind === 'request' ? REQUEST_LINE.exec(startLine) : null;
  const answer = options.kind === 'answer' ? STATUS_LINE.exec(startLine) : null;
  if (request === null && answer === null) throw new Violation(`bad start line ${JSON.stringify(startLine)}`);
  const status = answer === null ? 0 : Number(answer[1]);
  const framing = framingOf(headers, status, options);
  if (request !== null) checkHost(headers);
  return {
    startLine,
    method: request?.[1] ?? '',
    target: request?.[2] ?? '',
    status,
    headers,
    framing,
    chunks: [],
    bodyBytes: 0,
    trailers: [],
    complete: false,
  };
}

function readHeaderLine(line: string): HeaderLine {
  const match = HEADER_LINE.exec(line);
  if (match === null) throw new Violation(`bad header line ${JSON.stringify(line)}`);
  const value = match[2] as string;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) throw new Violation(`control byte in ${match[1]}`);
  }
  return [match[1] as string, value];
}

function framingOf(headers: readonly HeaderLine[], status: number, options: ReaderOptions): Framing {
  const lengths = named(headers, 'content-length');
  const codings = named(headers, 'transfer-encoding');
  if (lengths.length > 0 && codings.length > 0) throw new Violation('content-length and transfer-encoding');
  if (lengths.length > 1) throw new Violation('several content-lengths');
  if (codings.length > 1) throw new Violation('several transfer-encodings');
  if (lengths.length === 1 && !/^[0-9]{1,15}$/.test(lengths[0] as string)) {
    throw new Violation(`content-length ${JSON.stringify(lengths[0])}`);
  }
  if (codings.length === 1 && codings[0] !== 'chunked')
    throw new Violation(`transfer-encoding ${codings[0]}`);
  const framed = lengths.length + codings.length > 0;
  if (status === 101) return 'tunnel';
  if ((status >= 100 && status < 200) || status === 204) {
    if (framed) throw new Violation(`a ${status} with a body's framing`);
    return 'none';
  }
  if (status === 304 || (status > 0 && options.methodOfNext?.() === 'HEAD')) return 'none';
  if (codings.length === 1) return 'chunked';
  if (lengths.length === 1) return 'length';
  return options.kind === 'request' ? 'none' : 'close';
}

function checkHost(headers: readonly HeaderLine[]): void {
  const hosts = named(headers, 'host');
  if (hosts.length !== 1) throw new Violation(`${hosts.length} host headers`);
  if (!/^(?:[A-Za-z0-9._~%!$&'()*+;=-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/.test(hosts[0] as string)) {
    throw new Violation(`host ${JSON.stringify(hosts[0])}`);
  }
}

function named(headers: readonly HeaderLine[], name: string): string[] {
  return headers.filter(([held]) => held.toLowerCase() === name).map(([, value]) => value);
}
