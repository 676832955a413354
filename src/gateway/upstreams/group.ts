import type { Upstream } from '../../core/model.ts';
import { Endpoint } from './endpoint.ts';

/**
 * When an endpoint dies, all that it held breaks in one moment, which a share of
 * what is active just then cannot carry. So requests save up for it: over any time
 * retries stay within `budgetShare` of the requests, and of this many more.
 */
const SAVING_REQUESTS = 500;
/** As if these had been served before the first one. */
const FIRST_REQUESTS = 100;

export type OnEjected = (endpoint: Endpoint, forMs: number) => void;

/** The endpoints of one version of one service, and the choice between them. */
export class EndpointGroup {
  readonly upstream: Upstream;
  readonly endpoints: readonly Endpoint[];
  /** For a client that named no host. */
  readonly authority: string;
  /** Requests in flight to this group, and how many of them are retries; the retry budget's two sides. */
  inFlight = 0;
  retriesInFlight = 0;
  /** Retries that earlier requests have paid for, each with `budgetShare`. */
  #savedRetries: number;
  #turn = 0;

  readonly #onEjected: OnEjected;

  constructor(upstream: Upstream, onEjected: OnEjected = () => {}) {
    this.#onEjected = onEjected;
    this.upstream = upstream;
    this.#savedRetries = upstream.retry.budgetShare * FIRST_REQUESTS;
    this.authority = new URL(upstream.endpoints[0] as string).host;
    this.endpoints = upstream.endpoints.map((origin) => new Endpoint(origin, upstream));
  }

  /**
   * The fit endpoint with the fewest requests under way, ties in turn; where
   * none is fit, the same among all of them, for sending to a doubtful endpoint
   * beats a certain failure. Null when the choice is full or only `not` is left.
   */
  pick(nowMs: number, not: Endpoint | null): Endpoint | null {
    const { endpoints } = this;
    if (endpoints.length === 1) {
      const only = endpoints[0] as Endpoint;
      return only === not || only.full ? null : only;
    }
    // Once a request, not once a look: two looks a request would come round to the same of two endpoints for ever.
    if (not === null) this.#turn = (this.#turn + 1) % endpoints.length;
    const best = this.#leastPending(nowMs, not, true) ?? this.#leastPending(nowMs, not, false);
    return best === null || best.full ? null : best;
  }

  #leastPending(nowMs: number, not: Endpoint | null, fitOnly: boolean): Endpoint | null {
    const { endpoints } = this;
    let best: Endpoint | null = null;
    for (let i = 0; i < endpoints.length; i++) {
      const one = endpoints[(this.#turn + i) % endpoints.length] as Endpoint;
      if (one === not || (fitOnly && !one.available(nowMs))) continue;
      if (best === null || one.pending < best.pending) best = one;
    }
    return best;
  }

  /** A request that is not a retry begins. */
  begin(): void {
    const { budgetShare } = this.upstream.retry;
    this.#savedRetries = Math.min(this.#savedRetries + budgetShare, budgetShare * SAVING_REQUESTS);
  }

  /**
   * Whether one more retry stays within the budget: a share of what is active, as
   * Envoy's `retry_budget`, or else out of the savings. A request that reached no
   * endpoint is always allowed its second attempt, for nobody has worked on it yet.
   */
  mayRetry(sent: boolean): boolean {
    const { retries, budgetShare, budgetMin } = this.upstream.retry;
    if (retries === 0) return false;
    if (!sent || this.retriesInFlight < Math.max(budgetMin, Math.floor(this.inFlight * budgetShare)))
      return true;
    if (this.#savedRetries < 1) return false;
    this.#savedRetries--;
    return true;
  }

  /** The passive check: a connect error, reset, time-out or 5xx is a failure. */
  note(endpoint: Endpoint, ok: boolean, nowMs: number): void {
    if (ok) {
      endpoint.failuresInRow = 0;
      return;
    }
    endpoint.failuresInRow++;
    const { ejection } = this.upstream;
    if (ejection === null || endpoint.failuresInRow < ejection.consecutiveFailures) return;
    if (nowMs < endpoint.ejectedUntilMs) return;
    const out = this.endpoints.filter((one) => nowMs < one.ejectedUntilMs).length;
    // Never more than half: the rest could not carry the load of all.
    if (out + 1 > Math.floor(this.endpoints.length / 2)) return;
    // A long good time after its last ejection makes an endpoint's record clean.
    if (nowMs - endpoint.ejectedUntilMs > ejection.maxMs) endpoint.ejections = 0;
    endpoint.ejections++;
    endpoint.failuresInRow = 0;
    const forMs = Math.min(ejection.baseMs * endpoint.ejections, ejection.maxMs);
    endpoint.ejectedUntilMs = nowMs + forMs;
    this.#onEjected(endpoint, forMs);
  }

  get idle(): boolean {
    return this.endpoints.every((endpoint) => endpoint.pending === 0);
  }

  async destroy(): Promise<void> {
    await Promise.all(this.endpoints.map((endpoint) => endpoint.destroy()));
  }
}
