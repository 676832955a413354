import { setTimeout as delay } from 'node:timers/promises';
import type { Agent } from 'undici';
import type { SpanOutcome, SpanRecord, TracingSettings } from '../core/trace/span.ts';
import type { Log, Random, SpanSink } from '../ports.ts';
import { createTraceAgent, type Delivered, deliver } from './deliver.ts';
import { RateLimit } from './limit.ts';
import { encodeSpans } from './otlp.ts';

/** Spans that wait, those being sent not counted. */
export const MAX_QUEUED = 4_096;
/** In one request: few enough that writing them down keeps the event loop for a millisecond or two. */
export const BATCH = 128;
/** How long a span waits for others to go with it. */
const LINGER_MS = 1_000;
/** Of one batch, the first included. */
const MAX_ATTEMPTS = 5;
const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 10_000;

/** What was counted since the process began, over all exporters it had. */
export interface TracingCounts {
  readonly spans: Record<SpanOutcome, number>;
  readonly requests: { recorded: number; limited: number };
}

export interface ExporterDeps {
  readonly settings: TracingSettings;
  readonly instanceId: string;
  readonly counts: TracingCounts;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Takes spans at the speed of a push, and sends them in batches, one request at a
 * time. Whatever the receiver does, what waits is bounded, and every span ends in
 * exactly one count.
 */
export class Exporter implements SpanSink {
  readonly share: number;
  readonly #deps: ExporterDeps;
  readonly #limit: RateLimit;
  readonly #agent: Agent = createTraceAgent();
  readonly #queue: SpanRecord[] = [];
  /** Fires when what is left is to be sent now or never. */
  readonly #closing = new AbortController();
  /** Fires when there is no time left. */
  readonly #cut = new AbortController();
  #timer: NodeJS.Timeout | null = null;
  /** The timer is one that does not wait. */
  #due = false;
  #running: Promise<void> | null = null;
  #closed = false;
  #failing = false;

  constructor(deps: ExporterDeps) {
    this.#deps = deps;
    this.share = deps.settings.share;
    this.#limit = new RateLimit(deps.settings.perSecond);
  }

  admits(nowMs: number): boolean {
    const { requests } = this.#deps.counts;
    if (this.#limit.take(nowMs)) requests.recorded++;
    else {
      requests.limited++;
      return false;
    }
    return true;
  }

  add(span: SpanRecord): void {
    if (this.#closed) return this.#count('dropped_closed', 1);
    if (this.#queue.length >= MAX_QUEUED) return this.#count('dropped_full', 1);
    this.#queue.push(span);
    if (this.#running === null) this.#schedule(this.#queue.length >= BATCH ? 0 : LINGER_MS);
  }

  /**
   * Sends what waits, each batch once, for `graceMs` at most; what is left then is
   * counted as failed. Spans that are added later are dropped.
   */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#closing.abort();
    const timer = setTimeout(() => this.#cut.abort(), graceMs);
    try {
      await this.#running;
      await this.#drain();
    } finally {
      clearTimeout(timer);
      await this.#agent.destroy();
    }
  }

  /** A timer that does not wait replaces one that does. */
  #schedule(afterMs: number): void {
    if (this.#timer !== null && (this.#due || afterMs > 0)) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#due = afterMs === 0;
    this.#timer = setTimeout(() => this.#start(), afterMs);
    this.#timer.unref();
  }

  #start(): void {
    this.#timer = null;
    this.#running = this.#drain().finally(() => {
      this.#running = null;
      if (this.#queue.length > 0 && !this.#closed) this.#schedule(LINGER_MS);
    });
  }

  /** What comes meanwhile waits for others to go with it, unless there is no later. */
  async #drain(): Promise<void> {
    const closing = this.#closing.signal;
    for (let least = 1; this.#queue.length >= (closing.aborted ? 1 : least); least = BATCH) {
      const taken = await this.#send(this.#queue.splice(0, BATCH));
      // A receiver that is not there for one batch is not there for the others either, and nobody has time to wait.
      if (!taken && closing.aborted) this.#count('failed', this.#queue.splice(0).length);
    }
  }

  /** Whether it was answered for good, in whichever way. */
  async #send(batch: readonly SpanRecord[]): Promise<boolean> {
    const { settings, instanceId } = this.#deps;
    const body = encodeSpans(batch, { serviceName: settings.serviceName, instanceId });
    for (let attempt = 1; ; attempt++) {
      const delivered = await deliver(this.#agent, settings, body, this.#cut.signal);
      if (!this.#cut.signal.aborted) this.#tell(delivered);
      if (delivered.kind !== 'later') {
        this.#settle(batch.length, delivered);
        return true;
      }
      if (attempt >= MAX_ATTEMPTS || !(await this.#backOff(attempt, delivered.waitMs))) {
        this.#count('failed', batch.length);
        return false;
      }
    }
  }

  #settle(spans: number, delivered: Exclude<Delivered, { kind: 'later' }>): void {
    const rejected = delivered.kind === 'refused' ? spans : Math.min(spans, delivered.rejected);
    this.#count('rejected', rejected);
    this.#count('exported', spans - rejected);
  }

  /** False where there is no time for another attempt. */
  async #backOff(attempt: number, waitMs: number | null): Promise<boolean> {
    const fullMs = Math.min(FIRST_BACKOFF_MS * 2 ** (attempt - 1), MAX_BACKOFF_MS);
    const ms = waitMs ?? fullMs * (1 - this.#deps.random() / 2);
    try {
      await delay(ms, undefined, { signal: this.#closing.signal, ref: false });
      return true;
    } catch {
      return false;
    }
  }

  #count(outcome: SpanOutcome, spans: number): void {
    this.#deps.counts.spans[outcome] += spans;
  }

  /** A line when it goes wrong and one when it is well again, however long that takes. */
  #tell(delivered: Delivered): void {
    const { log, settings } = this.#deps;
    const fails = delivered.kind !== 'taken';
    if (fails === this.#failing) return;
    this.#failing = fails;
    const { endpoint } = settings;
    if (!fails) return log.info({ endpoint }, 'traces are taken again');
    const { kind, reason } = delivered;
    const remedy =
      kind === 'refused'
        ? 'spans are dropped; check tracing.endpoint and tracing.headers'
        : 'it is tried again, and spans beyond what can wait are dropped; check the receiver';
    log.warn({ endpoint, reason }, `traces are not taken (${reason}): ${remedy}`);
  }
}
