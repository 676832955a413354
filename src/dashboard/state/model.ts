import type {
  DisagreementsBody,
  ExperimentTimelineBody,
  ExperimentView,
  HistoryView,
  LiveEvent,
  OverviewView,
  RolloutView,
  ServiceBody,
  TimelineBody,
} from '../../admin/contract.ts';

/** All that the page knows. Times are of the browser's clock unless they say otherwise. */
export interface State {
  readonly nowMs: number;
  readonly link: Link;
  readonly access: Access;
  readonly overview: OverviewView | null;
  /** When the last one came. */
  readonly overviewAtMs: number | null;
  /** The service whose page is open. */
  readonly focus: Focus | null;
}

export type Link =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  | { readonly kind: 'lost'; readonly why: string; readonly retryAtMs: number };

/** `wanted`: the API asks for a token; `refused`: for another one. */
export type Access = 'open' | 'wanted' | 'refused';

/** What is known of one service. Null: not told yet, or it has none. */
export interface Focus {
  readonly name: string;
  /** Why there is nothing to show, in the API's words. */
  readonly absent: string | null;
  readonly detail: ServiceBody | null;
  readonly rollout: RolloutView | null;
  /** When it came, for countdowns. */
  readonly rolloutAtMs: number;
  /** Oldest first. */
  readonly history: readonly HistoryView[];
  readonly timeline: Readonly<Record<Range, TimelineBody | null>>;
  readonly experiment: ExperimentView | null;
  readonly experimentTimeline: ExperimentTimelineBody | null;
  readonly disagreements: DisagreementsBody['disagreements'];
}

/** How far back charts look. */
export type Range = '15m' | '24h';

export type Loaded = Partial<
  Pick<Focus, 'detail' | 'rollout' | 'history' | 'experiment' | 'experimentTimeline' | 'disagreements'>
> & { readonly timeline?: { readonly range: Range; readonly view: TimelineBody } };

export type Action =
  | { readonly kind: 'tick'; readonly nowMs: number }
  /** Null: the list of services. */
  | { readonly kind: 'opened'; readonly service: string | null; readonly nowMs: number }
  | { readonly kind: 'linked'; readonly nowMs: number }
  | { readonly kind: 'lost'; readonly why: string; readonly retryInMs: number; readonly nowMs: number }
  | { readonly kind: 'live'; readonly event: LiveEvent; readonly nowMs: number }
  /** What a GET brought. */
  | { readonly kind: 'loaded'; readonly service: string; readonly loaded: Loaded; readonly nowMs: number }
  | { readonly kind: 'absent'; readonly service: string; readonly message: string }
  | { readonly kind: 'denied'; readonly hadToken: boolean }
  | { readonly kind: 'admitted' };

export function initialState(nowMs: number): State {
  return {
    nowMs,
    link: { kind: 'connecting' },
    access: 'open',
    overview: null,
    overviewAtMs: null,
    focus: null,
  };
}

export function emptyFocus(name: string, nowMs: number): Focus {
  return {
    name,
    absent: null,
    detail: null,
    rollout: null,
    rolloutAtMs: nowMs,
    history: [],
    timeline: { '15m': null, '24h': null },
    experiment: null,
    experimentTimeline: null,
    disagreements: [],
  };
}

/** Of the timed pause under way, counted on since it was told; null: there is none. */
export function leftMs({ rollout, rolloutAtMs }: Focus, nowMs: number): number | null {
  const nextInMs = rollout?.nextInMs ?? null;
  return nextInMs === null ? null : Math.max(0, nextInMs - Math.max(0, nowMs - rolloutAtMs));
}
