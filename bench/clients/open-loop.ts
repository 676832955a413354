/**
 * An open-loop client: requests are due at a fixed rate whether or not earlier
 * ones were answered. (autocannon's rate option sends a second's worth at once at
 * the top of each second and corrects by a guess; wrk has no rate.)
 *
 * A timer of a millisecond releases what is due in small bursts. A latency runs
 * from that release, also where the request then had to wait for a connection to
 * come free, so a slow proxy cannot hide its delays by slowing the client down.
 * What is unanswered at the end counts with the time it has waited so far.
 *
 * argv: {port, rate, seconds, connections}; stdout: an OpenLoopResult as JSON.
 */
import { connect, type Socket } from 'node:net';
import { MessageReader } from '../lib/message.ts';
import { requestBytes, USERS, userId } from '../lib/request.ts';
import { percentile } from '../lib/stats.ts';

export interface OpenLoopResult {
  readonly sent: number;
  readonly answered: number;
  /** Answers other than 200, broken connections, requests without an answer at the end. */
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

interface Settings {
  readonly port: number;
  readonly rate: number;
  readonly seconds: number;
  readonly connections: number;
}

/** How long answers may take after the last request was due. */
const GRACE_MS = 6000;

const { port, rate, seconds, connections } = JSON.parse(process.argv[2] ?? '{}') as Settings;
const requests = Array.from({ length: USERS }, (_, i) => requestBytes('bench.local', userId(i)));
const total = Math.round(rate * seconds);
const latenciesMs = new Float64Array(total);
let answered = 0;
let errors = 0;
/** Requests begun (sent or waiting for a connection). */
let begun = 0;

/** When the requests that wait for a connection were released, in order; `waitingFrom` leaves next. */
const waiting: number[] = [];
let waitingFrom = 0;
const free: Connection[] = [];
const all: Connection[] = [];

class Connection {
  /** When the request under way was released; negative: none. */
  releasedMs = -1;
  #socket: Socket;

  constructor() {
    this.#socket = this.#open();
  }

  #open(): Socket {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const reader = new MessageReader((head) => this.#answered(head));
    socket.on('data', (bytes) => reader.feed(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#broken());
    return socket;
  }

  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.once('connect', resolve);
      this.#socket.once('error', reject);
    });
  }

  send(releasedMs: number): void {
    this.releasedMs = releasedMs;
    this.#socket.write(requests[sentCount++ % USERS] as Buffer);
  }

  #answered(head: string): void {
    latenciesMs[answered++] = performance.now() - this.releasedMs;
    if (!head.startsWith('HTTP/1.1 200')) errors++;
    this.releasedMs = -1;
    release(this);
  }

  #broken(): void {
    if (ended) return;
    if (this.releasedMs >= 0) {
      latenciesMs[answered++] = performance.now() - this.releasedMs;
      errors++;
      this.releasedMs = -1;
      this.#socket = this.#open();
      release(this);
    } else {
      this.#socket = this.#open();
    }
  }

  end(): void {
    this.#socket.resetAndDestroy();
  }
}

let sentCount = 0;
let ended = false;

function release(connection: Connection): void {
  if (waitingFrom < waiting.length) connection.send(waiting[waitingFrom++] as number);
  else free.push(connection);
  if (answered === total) finish();
}

function begin(releasedMs: number): void {
  begun++;
  const connection = free.pop();
  if (connection === undefined) waiting.push(releasedMs);
  else connection.send(releasedMs);
}

function schedule(startMs: number): void {
  const timer = setInterval(() => {
    const nowMs = performance.now();
    const due = Math.min(total, Math.floor(((nowMs - startMs) * rate) / 1000));
    while (begun < due) begin(nowMs);
    if (begun === total) clearInterval(timer);
  }, 1);
}

function finish(): void {
  if (ended) return;
  ended = true;
  const nowMs = performance.now();
  const unanswered = [
    ...all.map((one) => one.releasedMs).filter((ms) => ms >= 0),
    ...waiting.slice(waitingFrom),
  ];
  const done = answered;
  for (const releasedMs of unanswered) latenciesMs[answered++] = nowMs - releasedMs;
  for (const connection of all) connection.end();
  const sorted = latenciesMs.subarray(0, answered).sort();
  const result: OpenLoopResult = {
    sent: total,
    answered: done,
    errors: errors + unanswered.length,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    p999Ms: percentile(sorted, 0.999),
    maxMs: sorted.at(-1) ?? 0,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit());
}

for (let i = 0; i < connections; i++) all.push(new Connection());
await Promise.all(all.map((one) => one.ready()));
free.push(...all);
schedule(performance.now() + 20);
setTimeout(finish, seconds * 1000 + GRACE_MS);
