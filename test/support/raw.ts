import net from 'node:net';
import tls from 'node:tls';
import { MessageReader, type WireMessage } from './http1.ts';
import { Bell, sleep } from './wait.ts';

/** A client on a bare socket: it sends any bytes in any pieces and reads answers strictly. */

export interface RawOptions {
  readonly port: number;
  readonly host?: string;
  /** Speak TLS with these settings. */
  readonly tls?: tls.ConnectionOptions;
  /** Methods of the requests in their order, where one of them is HEAD; GET when absent. */
  readonly methods?: readonly string[];
  /** Count body bytes without keeping them. */
  readonly discardBody?: boolean;
}

export type Closed = 'open' | 'end' | 'reset';

export class RawClient {
  readonly socket: net.Socket;
  /** Final answers in their order, the last one perhaps incomplete. */
  readonly answers: WireMessage[] = [];
  /** 1xx answers but 101. */
  readonly interim: WireMessage[] = [];
  /** What the peer sent before it closed; capped at 1 MiB. */
  readonly received: Buffer[] = [];
  receivedBytes = 0;
  /** How the peer ended the connection: `end` in good order, `reset` by RST or an error of TLS. */
  closedBy: Closed = 'open';
  private readonly reader: MessageReader;
  private readonly bell = new Bell();
  private readonly methods: string[];

  constructor(socket: net.Socket, options: RawOptions) {
    this.socket = socket;
    this.methods = [...(options.methods ?? [])];
    this.reader = new MessageReader({
      kind: 'answer',
      discardBody: options.discardBody ?? false,
      methodOfNext: () => this.methods[0] ?? 'GET',
      onHead: (message) => {
        (message.status < 200 && message.status !== 101 ? this.interim : this.answers).push(message);
      },
      onEnd: (message) => {
        if (message.status >= 200) this.methods.shift();
      },
    });
    socket.on('data', (bytes: Buffer) => {
      if (this.receivedBytes < 1 << 20) this.received.push(bytes);
      this.receivedBytes += bytes.length;
      this.reader.push(bytes);
      this.bell.ring();
    });
    socket.on('end', () => this.ended('end'));
    socket.on('error', () => this.ended('reset'));
    socket.on('close', () => this.ended('reset'));
  }

  /** What made the answers unreadable, or null. */
  get violation(): string | null {
    return this.reader.violation;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.received);
  }

  /** Bytes in latin1, or as they are. Sending to a peer that has gone is not an error. */
  send(bytes: string | Buffer): this {
    if (!this.socket.destroyed)
      this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    return this;
  }

  /** One piece after the other, `gapMs` apart, each in a segment of its own. */
  async sendPieces(pieces: Iterable<string | Buffer>, gapMs: number): Promise<void> {
    this.socket.setNoDelay(true);
    for (const piece of pieces) {
      if (this.closedBy !== 'open') return;
      this.send(piece);
      await sleep(gapMs);
    }
  }

  /** Ends the sending side only. */
  halfClose(): this {
    this.socket.end();
    return this;
  }

  /** Goes away with a RST. */
  reset(): this {
    this.socket.resetAndDestroy();
    return this;
  }

  /** Waits until `count` answers are whole, or nothing more can come. */
  async whole(count = 1, timeoutMs = 10_000): Promise<WireMessage[]> {
    const done = () => this.answers.filter((answer) => answer.complete).length >= count;
    await this.until(() => done() || this.over(), `${count} whole answers`, timeoutMs);
    return this.answers;
  }

  /** Waits for the head of the answer number `count`, or until nothing more can come. */
  async heads(count = 1, timeoutMs = 10_000): Promise<WireMessage[]> {
    await this.until(() => this.answers.length >= count || this.over(), `${count} heads`, timeoutMs);
    return this.answers;
  }

  async closed(timeoutMs = 10_000): Promise<Closed> {
    await this.until(() => this.closedBy !== 'open', 'the close', timeoutMs);
    return this.closedBy;
  }

  /** Waits for any condition on this client, asked whenever something arrived. */
  until(holds: () => boolean, what: string, timeoutMs = 10_000): Promise<void> {
    return this.bell.until(holds, () => `${what}; ${this.describe()}`, timeoutMs);
  }

  describe(): string {
    const text = this.bytes.toString('latin1');
    return `connection ${this.closedBy}, ${this.violation ?? 'readable'}, got ${JSON.stringify(text.slice(0, 600))}`;
  }

  private over(): boolean {
    return this.closedBy !== 'open' || this.violation !== null;
  }

  private ended(by: Closed): void {
    if (this.closedBy === 'open') {
      this.closedBy = by;
      // Only an orderly end finishes an answer that is delimited by it.
      if (by === 'end') this.reader.finish();
    }
    this.bell.ring();
  }
}

export async function connectRaw(options: RawOptions): Promise<RawClient> {
  const host = options.host ?? '127.0.0.1';
  const socket =
    options.tls === undefined
      ? net.connect({ port: options.port, host, allowHalfOpen: true, noDelay: true })
      : tls.connect({ port: options.port, host, ...options.tls });
  await new Promise<void>((resolve, reject) => {
    socket.once(options.tls === undefined ? 'connect' : 'secureConnect', resolve);
    socket.once('error', reject);
  });
  return new RawClient(socket, options);
}

/** Sends `text` on a connection of its own and waits for `answers` whole answers; closes it then. */
export async function exchange(
  options: RawOptions | number,
  text: string | Buffer,
  answers = 1,
  timeoutMs = 10_000,
): Promise<RawClient> {
  const client = await connectRaw(typeof options === 'number' ? { port: options } : options);
  client.send(text);
  await client.whole(answers, timeoutMs);
  client.socket.destroy();
  return client;
}

/** A head as bytes: the request line, then `Host: test.example` unless a Host is among the lines. */
export function head(requestLine: string, ...lines: readonly string[]): string {
  const host = lines.some((line) => /^host\s*:/i.test(line)) ? [] : ['Host: test.example'];
  return `${[requestLine, ...host, ...lines].join('\r\n')}\r\n\r\n`;
}
