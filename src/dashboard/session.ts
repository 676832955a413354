import type {
  DisagreementsBody,
  ExperimentBody,
  ExperimentTimelineBody,
  HistoryBody,
  LiveEvent,
  OverviewService,
  RolloutBody,
  RolloutVerb,
  ServiceBody,
  TimelineBody,
} from '../admin/contract.ts';
import { type Answer, type Api, createApi } from './net/api.ts';
import { follow, type LiveNews } from './net/live.ts';
import type { Loaded, Range } from './state/model.ts';
import { follows } from './state/series.ts';
import type { Store } from './state/store.ts';

/** What a command needs beside its verb. */
export interface Asked {
  readonly verb: RolloutVerb;
  readonly full: boolean;
  readonly reason: string;
  /** For the history; '' for nobody. */
  readonly actor: string;
}

export interface Session {
  readonly store: Store;
  readonly api: Api;
  /** Follows a service, or none (null), and looks that far back. */
  open(service: string | null, range: Range): void;
  command(service: string, asked: Asked): Promise<Answer<RolloutBody>>;
  signIn(token: string): void;
}

export interface SessionDeps {
  readonly store: Store;
  readonly fetch: typeof fetch;
  readonly nowMs: () => number;
  /** Of this tab only. */
  readonly tokens: { get(): string | null; set(token: string): void };
}

/** What does not come by events is read again so often. */
const POLL_MS = 15_000;
const ACTOR = 'dashboard';

export function createSession(deps: SessionDeps): Session {
  const { store, tokens, nowMs } = deps;
  let at: { readonly service: string | null; range: Range } | null = null;
  let stop = new AbortController();
  const onDenied = () => {
    // Nothing is asked again before somebody gives a token.
    stop.abort();
    store.dispatch({ kind: 'denied', hadToken: tokens.get() !== null });
  };
  const api = createApi({ fetch: deps.fetch, token: tokens.get, onDenied });

  const put = (service: string, loaded: Loaded) =>
    store.dispatch({ kind: 'loaded', service, loaded, nowMs: nowMs() });
  let isDue = false;
  /** What there is of a service stands in the overview: nothing is asked for that is not there. */
  const load = (what: 'all' | 'slow') => {
    const { service = null, range = '15m' } = at ?? {};
    const { overview, focus } = store.state();
    if (service === null || overview === null) return;
    isDue = false;
    const there = overview.services.find(({ name }) => name === service);
    if (there === undefined) {
      store.dispatch({ kind: 'absent', service, message: `there is no service ${service}` });
    } else if (focus?.absent != null) {
      // A reload of the config brought it: its events are wanted now.
      store.dispatch({ kind: 'loaded', service, loaded: {}, nowMs: nowMs() });
      connect();
    } else void loadAll(api, there, { range, what, put, signal: stop.signal });
  };
  const hear = (event: LiveEvent) => {
    const last = store.state().focus?.timeline['15m'];
    store.dispatch({ kind: 'live', event, nowMs: nowMs() });
    const missed = event.kind === 'point' && last != null && !follows(last, event.point);
    if (missed || (event.kind === 'overview' && isDue)) load('all');
  };
  const tell = (signal: AbortSignal) => (news: LiveNews) => {
    if (signal.aborted) return;
    switch (news.kind) {
      case 'opened':
        // What happened while nobody listened is asked for with the first overview.
        isDue = true;
        return store.dispatch({ kind: 'linked', nowMs: nowMs() });
      case 'live':
        return hear(news.event);
      case 'absent':
        return store.dispatch({ kind: 'absent', service: at?.service ?? '', message: news.message });
      case 'lost':
        return store.dispatch({ ...news, nowMs: nowMs() });
      case 'denied':
        return onDenied();
    }
  };
  const connect = () => {
    stop.abort();
    stop = new AbortController();
    const { signal } = stop;
    const random = Math.random;
    void follow(
      at?.service ?? null,
      { fetch: deps.fetch, token: tokens.get, tell: tell(signal), random, sleep },
      signal,
    );
    const timer = setInterval(() => load('slow'), POLL_MS);
    signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  };

  return {
    store,
    api,
    open(service, range) {
      if (at !== null && service === at.service) {
        if (range === at.range) return;
        at.range = range;
        return load('all');
      }
      at = { service, range };
      store.dispatch({ kind: 'opened', service, nowMs: nowMs() });
      connect();
    },
    async command(service, { verb, full, reason, actor }) {
      const body = {
        actor: actor === '' ? ACTOR : `${actor} (${ACTOR})`,
        ...(full ? { full } : {}),
        ...(reason === '' ? {} : { reason }),
      };
      const answer = await api.post<RolloutBody>(`rollouts/${encodeURIComponent(service)}/${verb}`, body);
      if (answer.ok) put(service, { rollout: answer.value });
      return answer;
    },
    signIn(token) {
      tokens.set(token);
      store.dispatch({ kind: 'admitted' });
      connect();
    },
  };
}

interface Loading {
  readonly range: Range;
  /** `slow`: without what comes by events as well. */
  readonly what: 'all' | 'slow';
  readonly put: (service: string, loaded: Loaded) => void;
  readonly signal: AbortSignal;
}

/** Everything about a service that GETs tell, each as soon as it comes. */
async function loadAll(
  api: Api,
  { name: service, rollout, experiment, mirror }: OverviewService,
  { range, what, put, signal }: Loading,
): Promise<void> {
  const name = encodeURIComponent(service);
  const read = async <T>(path: string, loaded: (value: T) => Loaded) => {
    const answer = await api.get<T>(path, signal);
    if (answer.ok) put(service, loaded(answer.value));
  };
  const timeline = (one: Range) =>
    read<TimelineBody>(`services/${name}/timeline?step=${one === '15m' ? '1s' : '15s'}`, (view) => ({
      timeline: { range: one, view },
    }));
  const reads = [read<ServiceBody>(`services/${name}`, (detail) => ({ detail }))];
  if (what === 'all') reads.push(timeline('15m'));
  if (range === '24h') reads.push(timeline('24h'));
  if (rollout !== null && what === 'all') {
    reads.push(read<RolloutBody>(`rollouts/${name}`, (view) => ({ rollout: view })));
    reads.push(read<HistoryBody>(`rollouts/${name}/history`, ({ history }) => ({ history })));
  }
  if (experiment !== null) {
    reads.push(read<ExperimentBody>(`experiments/${name}`, (view) => ({ experiment: view })));
    reads.push(
      read<ExperimentTimelineBody>(`experiments/${name}/timeline`, (view) => ({ experimentTimeline: view })),
    );
  }
  if (mirror !== null) {
    reads.push(
      read<DisagreementsBody>(`services/${name}/disagreements`, ({ disagreements }) => ({ disagreements })),
    );
  }
  await Promise.all(reads);
}

/** Resolves after that time, when `signal` fires, or when the network is back. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener('online', end);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    addEventListener('online', end);
    signal.addEventListener('abort', end, { once: true });
  });
}
