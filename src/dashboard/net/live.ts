import type { LiveEvent } from '../../admin/contract.ts';
import { BASE, bearer } from './api.ts';
import { SseParser } from './sse.ts';

/** What became of the stream of events. */
export type LiveNews =
  | { readonly kind: 'opened' }
  | { readonly kind: 'live'; readonly event: LiveEvent }
  | { readonly kind: 'lost'; readonly why: string; readonly retryInMs: number }
  /** A token is wanted, or another one; it stays closed. */
  | { readonly kind: 'denied' };

export interface LiveDeps {
  readonly fetch: typeof fetch;
  token(): string | null;
  tell(news: LiveNews): void;
  /** 0..1, so that a hundred pages do not come back at once. */
  random(): number;
  /** Resolves after that time, or when `signal` fires. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** An overview comes every second; a connection that is silent for longer than this is dead. */
export const SILENCE_MS = 8_000;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 5_000;

/** Streams the events of one service (null: of none) until `signal` fires; comes back by itself. */
export async function follow(service: string | null, deps: LiveDeps, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const end = await stream(service, deps, signal, () => {
      failures = 0;
    });
    if (signal.aborted) return;
    if (end === 'denied') return deps.tell({ kind: 'denied' });
    const retryInMs = retryAfterMs(failures, deps.random());
    failures += 1;
    deps.tell({ kind: 'lost', why: end, retryInMs });
    await deps.sleep(retryInMs, signal);
  }
}

/** Doubles from half a second to five, give or take a quarter. */
export function retryAfterMs(failures: number, random: number): number {
  const plain = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 10));
  return Math.round(plain * (0.75 + random / 2));
}

/** Resolves with why it ended. */
async function stream(
  service: string | null,
  deps: LiveDeps,
  signal: AbortSignal,
  onFirst: () => void,
): Promise<string> {
  const silence = new Silence();
  try {
    const query = service === null ? '' : `?service=${encodeURIComponent(service)}`;
    const response = await deps.fetch(`${BASE}events${query}`, {
      headers: { accept: 'text/event-stream', ...bearer(deps.token()) },
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (response.status === 401) return 'denied';
    if (!response.ok || response.body === null) return `the gateway answered ${response.status}`;
    deps.tell({ kind: 'opened' });
    const parser = new SseParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return 'the gateway closed the connection';
      silence.broken();
      for (const { event, data } of parser.push(value)) {
        const known = eventOf(event, data);
        if (known === null) continue;
        onFirst();
        deps.tell({ kind: 'live', event: known });
      }
    }
  } catch (error) {
    if (silence.signal.aborted) return `nothing came for ${SILENCE_MS / 1000} s`;
    return error instanceof SyntaxError
      ? 'the gateway sent what cannot be read'
      : 'the gateway cannot be reached';
  } finally {
    silence.end();
  }
}

/** Fires when nothing came for too long. */
class Silence {
  readonly #controller = new AbortController();
  #timer = this.#start();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  broken(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #start(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#controller.abort(), SILENCE_MS);
  }
}

const KINDS: readonly string[] = [
  'overview',
  'rollout',
  'history',
  'point',
  'experiment',
] satisfies LiveEvent['kind'][];

/** The event's name is its kind, and its data the rest. Null: of a newer gateway. */
function eventOf(event: string, data: string): LiveEvent | null {
  return KINDS.includes(event) ? ({ ...(JSON.parse(data) as object), kind: event } as LiveEvent) : null;
}
