import { Client, type Dispatcher } from 'undici';

type Options = Dispatcher.DispatchOptions;
type Handler = Dispatcher.DispatchHandler;

export interface PoolOptions {
  /** Connections at most. */
  readonly connections: number;
  /** Age at which a connection is replaced once it is idle, so that DNS changes are seen. */
  readonly connectionTtlMs: number;
  readonly client: Client.Options;
}

/** One connection, or the place for one: undici's Client opens it anew whenever it was closed. */
interface Slot {
  readonly client: Client;
  /** Wall clock, ms: when its connection was opened. */
  openedMs: number;
  /** A request was sent on it, and its `drain` has not come. */
  busy: boolean;
}

/** A request that waits for a connection. */
interface Waiting {
  readonly options: Options;
  readonly handler: Handler;
}

/**
 * The kept-alive connections of one endpoint, each for one request at a time.
 *
 * undici's own Pool looks for a free connection from the first one on, and reads
 * the clock for each it passes to know its age; among 64 busy ones that is a
 * twentieth of a request's whole cost. Here free ones stand on a stack, so the one
 * used last, whose buffers are warm, comes first, and what is not needed idles out.
 * How many may wait is for the caller to bound.
 */
export class ConnectionPool {
  readonly #origin: string;
  readonly #options: PoolOptions;
  readonly #all = new Set<Slot>();
  readonly #free: Slot[] = [];
  #waiting: Waiting[] = [];
  /** Where the queue begins; what stands before it has been taken. */
  #head = 0;
  #destroyed = false;

  constructor(origin: string, options: PoolOptions) {
    this.#origin = origin;
    this.#options = options;
  }

  get destroyed(): boolean {
    return this.#destroyed;
  }

  /** Sends now or as soon as a connection is free; everything that happens is told to `handler`. */
  dispatch(options: Options, handler: Handler): void {
    if (this.#destroyed) return void handler.onError?.(gone());
    const slot = this.#take();
    if (slot === null) this.#waiting.push({ options, handler });
    else this.#send(slot, options, handler);
  }

  /** Breaks off what is under way and refuses what waits. */
  async destroy(): Promise<void> {
    this.#destroyed = true;
    const waiting = this.#waiting.slice(this.#head);
    this.#waiting = [];
    this.#head = 0;
    for (const { handler } of waiting) handler.onError?.(gone());
    await Promise.all([...this.#all].map(({ client }) => client.destroy()));
  }

  #take(): Slot | null {
    for (let slot = this.#free.pop(); slot !== undefined; slot = this.#free.pop()) {
      if (!this.#isOld(slot)) return slot;
      this.#discard(slot);
    }
    return this.#all.size < this.#options.connections ? this.#open() : null;
  }

  #isOld({ openedMs }: Slot): boolean {
    return Date.now() - openedMs > this.#options.connectionTtlMs;
  }

  #open(): Slot {
    const client = new Client(this.#origin, this.#options.client);
    // Until it is connected it has no age.
    const slot: Slot = { client, openedMs: Number.POSITIVE_INFINITY, busy: false };
    client.on('connect', () => {
      slot.openedMs = Date.now();
    });
    // As undici's Pool does (nodejs/undici issue 3895): after some errors, a wrong name in
    // a certificate among them, a client takes itself for busy for ever.
    client.on('connectionError', () => this.#replace(slot));
    client.on('drain', () => this.#onFree(slot));
    this.#all.add(slot);
    return slot;
  }

  #send(slot: Slot, options: Options, handler: Handler): void {
    slot.busy = true;
    const drained = slot.client.dispatch(options, handler);
    // A request that undici refuses to send is told so, and no `drain` follows.
    if (!drained && slot.client.stats.size === 0) this.#onFree(slot);
  }

  #onFree(slot: Slot): void {
    if (this.#destroyed || !slot.busy) return;
    slot.busy = false;
    if (this.#isOld(slot)) this.#replace(slot);
    else this.#serve(slot);
  }

  /** Closes the slot's connection for good; whoever has waited longest gets a new one. */
  #replace(slot: Slot): void {
    if (this.#destroyed || !this.#all.has(slot)) return;
    this.#discard(slot);
    const next = this.#head < this.#waiting.length ? this.#take() : null;
    if (next !== null) this.#serve(next);
  }

  /** Gives the slot to whoever has waited longest, or else puts it by. */
  #serve(slot: Slot): void {
    const waiting = this.#waiting[this.#head];
    if (waiting === undefined) {
      this.#free.push(slot);
      return;
    }
    this.#head++;
    if (this.#head === this.#waiting.length || this.#head > 1_024) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    this.#send(slot, waiting.options, waiting.handler);
  }

  #discard(slot: Slot): void {
    slot.busy = false;
    this.#all.delete(slot);
    // Nothing is under way on it, so nobody is left to be told.
    void slot.client.destroy();
  }
}

function gone(): Error {
  return Object.assign(new Error('the endpoint was closed'), { code: 'UND_ERR_DESTROYED' });
}
