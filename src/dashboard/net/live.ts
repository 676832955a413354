import type { LiveEvent } from '../../admin/contract.ts';
import { BASE, bearer, messageOf } from './api.ts';
import { SseParser } from './sse.ts';

/** What became of the stream of events. */
export type LiveNews =
  | { readonly kind: 'opened' }
  | { readonly kind: 'live'; readonly event: LiveEvent }
  | { readonly kind: 'lost'; readonly why: string; readonly retryInMs: number }
  /** There is no such service; it goes on without one. */
  | { readonly kind: 'absent'; readonly message: string }
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
  let followed = service;
  while (!signal.aborted) {
    const end = await stream(followed, deps, signal, () => {
      failures = 0;
    });
    if (signal.aborted) return;
    if (end.status === 401) return deps.tell({ kind: 'denied' });
    if (end.status === 404 && followed !== null) {
      followed = null;
      deps.tell({ kind: 'absent', message: end.why });
      continue;
    }
    const retryInMs = retryAfterMs(failures, deps.random());
    failures += 1;
    deps.tell({ kind: 'lost', why: end.why, retryInMs });
    await deps.sleep(retryInMs, signal);
  }
}

/** Doubles from half a second to five, give or take a quarter. */
export function retryAfterMs(failures: number, random: number): number {
  const plain = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 10));
  return Math.round(plain * (0.75 + random / 2));
}

interface End {
  /** Of a refusal; 0: it was none. */
  readonly status: number;
  readonly why: string;
}

/** Resolves with why it ended. */
async function stream(
  service: string | null,
  deps: LiveDeps,
  signal: AbortSignal,
  onFirst: () => void,
): Promise<End> {
  const silence = new Silence();
  try {
    const query = service === null ? '' : `?service=${encodeURIComponent(service)}`;
    const response = await deps.fetch(`${BASE}events${query}`, {
      headers: { accept: 'text/event-stream', ...bearer(deps.token()) },
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!response.ok || response.body === null) {
      return { status: response.status, why: await messageOf(response) };
    }
    deps.tell({ kind: 'opened' });
    const parser = new SseParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return ended('the gateway closed the connection');
      silence.broken();
      for (const { event, data } of parser.push(value)) {
        const known = eventOf(event, data);
        if (known === null) continue;
        onFirst();
        deps.tell({ kind: 'live', event: known });
      }
    }
  } catch (error) {
    if (silence.signal.aborted) return ended(`nothing came for ${SILENCE_MS / 1000} s`);
    return ended(
      error instanceof SyntaxError ? 'the gateway sent what cannot be read' : 'the gateway cannot be reached',
    );
  } finally {
    silence.end();
  }
}

function ended(why: string): End {
  return { status: 0, why };
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
