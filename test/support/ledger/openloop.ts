import http from 'node:http';
import type { Sighting } from './upstream.ts';

/**
 * An open-loop client: requests go out at a constant rate whatever becomes of
 * those before them, so a stall shows as failures and not as fewer requests.
 * Every request is numbered; half of them use kept-alive connections, half a new
 * connection each.
 */

export interface Order {
  readonly method?: 'GET' | 'POST';
  readonly path?: string;
  readonly headers?: Record<string, string>;
  /** For the test, such as where this request must arrive. */
  readonly tag?: string;
}

export interface Entry {
  readonly id: string;
  readonly method: string;
  readonly connection: 'kept' | 'new';
  readonly tag: string;
  /** 0 where no whole answer came. */
  status: number;
  /** Who answered, as the answer's body says. */
  server: string;
  /** The number in the answer's body: whose answer it was. */
  answeredId: string;
  error: string;
}

export interface LoadOptions {
  readonly port: number;
  readonly perSecond: number;
  /** The request number `n`, from 0. */
  readonly order: (n: number) => Order;
  readonly timeoutMs?: number;
}

const TICK_MS = 5;
let runs = 0;

export class OpenLoad {
  readonly entries: Entry[] = [];
  private readonly options: LoadOptions;
  private readonly run = `r${process.pid}-${++runs}`;
  private readonly kept = new http.Agent({ keepAlive: true, maxSockets: 64 });
  private readonly startMs = performance.now();
  private readonly timer: NodeJS.Timeout;
  private readonly underWay = new Set<Promise<void>>();

  constructor(options: LoadOptions) {
    this.options = options;
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  /** Sends no more; resolves when every request has ended in some way. */
  async stop(): Promise<readonly Entry[]> {
    clearInterval(this.timer);
    await Promise.all(this.underWay);
    this.kept.destroy();
    return this.entries;
  }

  /** As many as are due by now, so that a late timer does not lower the rate. */
  private tick(): void {
    const due = Math.floor(((performance.now() - this.startMs) * this.options.perSecond) / 1_000);
    while (this.entries.length < due) this.send(this.entries.length);
  }

  private send(n: number): void {
    const order = this.options.order(n);
    const entry: Entry = {
      id: `${this.run}-${n}`,
      method: order.method ?? 'GET',
      // Pairs, so that both kinds meet both methods when those alternate.
      connection: n % 4 < 2 ? 'kept' : 'new',
      tag: order.tag ?? '',
      status: 0,
      server: '',
      answeredId: '',
      error: '',
    };
    this.entries.push(entry);
    const done = this.exchange(entry, order).catch((error: NodeJS.ErrnoException) => {
      entry.error = error.code ?? error.message;
    });
    this.underWay.add(done);
    void done.then(() => this.underWay.delete(done));
  }

  private exchange(entry: Entry, order: Order): Promise<void> {
    const { port, timeoutMs = 15_000 } = this.options;
    const body = entry.method === 'POST' ? JSON.stringify({ id: entry.id }) : '';
    const fresh = entry.connection === 'new';
    return new Promise((resolve, reject) => {
      const request = http.request({
        host: '127.0.0.1',
        port,
        method: entry.method,
        path: order.path ?? '/load',
        agent: fresh ? false : this.kept,
        headers: {
          ...order.headers,
          'x-load-id': entry.id,
          ...(fresh ? { connection: 'close' } : {}),
          ...(body === '' ? {} : { 'content-length': body.length }),
        },
        signal: AbortSignal.timeout(timeoutMs),
      });
      request.on('error', reject);
      request.on('response', (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          if (!response.complete) return reject(new Error('cut answer'));
          entry.status = response.statusCode ?? 0;
          readBody(entry, Buffer.concat(parts).toString());
          resolve();
        });
      });
      request.end(body);
    });
  }
}

function readBody(entry: Entry, text: string): void {
  try {
    const { id, server } = JSON.parse(text) as { id?: string; server?: string };
    entry.answeredId = id ?? '';
    entry.server = server ?? '';
  } catch {
    entry.error = 'answer that is no JSON';
  }
}

export interface Joined {
  readonly sent: number;
  /** Not answered 200. */
  readonly failed: readonly Entry[];
  /** Answered with another request's answer. */
  readonly crossed: readonly Entry[];
  /** Answered 200, but in no upstream's ledger. */
  readonly invented: readonly Entry[];
  /** Numbers that were seen more than once, with their methods. */
  readonly doubled: readonly Sighting[];
  /** Seen upstream, but never sent. */
  readonly unknown: readonly Sighting[];
}

/** Joins the client's ledger to the upstreams'. */
export function join(entries: readonly Entry[], sightings: readonly Sighting[]): Joined {
  const sent = new Map(entries.map((entry) => [entry.id, entry]));
  const seen = new Map<string, number>();
  for (const { id } of sightings) seen.set(id, (seen.get(id) ?? 0) + 1);
  const answered = entries.filter(({ status }) => status === 200);
  return {
    sent: entries.length,
    failed: entries.filter(({ status }) => status !== 200),
    crossed: answered.filter(({ id, answeredId }) => id !== answeredId),
    invented: answered.filter(({ id }) => !seen.has(id)),
    doubled: sightings.filter(({ id }) => (seen.get(id) ?? 0) > 1),
    unknown: sightings.filter(({ id }) => !sent.has(id)),
  };
}
