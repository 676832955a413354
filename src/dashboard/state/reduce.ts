import type { HistoryView, LiveEvent } from '../../admin/contract.ts';
import { type Action, emptyFocus, type Focus, type Loaded, type State } from './model.ts';
import { appended } from './series.ts';

/** Entries that a page keeps; the gateway keeps no more either. */
const MAX_HISTORY = 500;

/** The state after an action. What is about a service that is not open any more changes nothing. */
export function reduce(state: State, action: Action): State {
  switch (action.kind) {
    case 'tick':
      return { ...state, nowMs: action.nowMs };
    case 'opened':
      return opened(state, action.service, action.nowMs);
    case 'linked':
      return { ...state, nowMs: action.nowMs, link: { kind: 'open' } };
    case 'lost':
      return {
        ...state,
        nowMs: action.nowMs,
        link: { kind: 'lost', why: action.why, retryAtMs: action.nowMs + action.retryInMs },
      };
    case 'live':
      return live({ ...state, nowMs: action.nowMs }, action.event, action.nowMs);
    case 'loaded':
      return inFocus(state, action.service, (focus) => loaded(focus, action.loaded, action.nowMs));
    case 'absent':
      return inFocus(state, action.service, (focus) => ({ ...focus, absent: action.message }));
    case 'denied':
      return { ...state, access: action.hadToken ? 'refused' : 'wanted' };
    case 'admitted':
      return { ...state, access: 'open', link: { kind: 'connecting' } };
  }
}

function opened(state: State, service: string | null, nowMs: number): State {
  if (service === (state.focus?.name ?? null)) return state;
  return {
    ...state,
    nowMs,
    link: { kind: 'connecting' },
    focus: service === null ? null : emptyFocus(service, nowMs),
  };
}

function live(state: State, event: LiveEvent, nowMs: number): State {
  switch (event.kind) {
    case 'overview':
      return { ...state, overview: event.overview, overviewAtMs: nowMs };
    case 'rollout':
      return inFocus(state, event.rollout.service, (focus) => ({
        ...focus,
        rollout: event.rollout,
        rolloutAtMs: nowMs,
      }));
    case 'history':
      return inFocus(state, event.service, (focus) => ({
        ...focus,
        history: merged(focus.history, event.entries),
      }));
    case 'point':
      return inFocus(state, event.point.service, (focus) => {
        const before = focus.timeline['15m'];
        if (before === null) return focus;
        return { ...focus, timeline: { ...focus.timeline, '15m': appended(before, event.point) } };
      });
    case 'experiment':
      return inFocus(state, event.experiment.service, (focus) => ({
        ...focus,
        experiment: event.experiment,
      }));
  }
}

function loaded(focus: Focus, { timeline, ...rest }: Loaded, nowMs: number): Focus {
  return {
    ...focus,
    ...rest,
    absent: null,
    rolloutAtMs: rest.rollout === undefined ? focus.rolloutAtMs : nowMs,
    history: rest.history === undefined ? focus.history : merged(rest.history, focus.history),
    timeline:
      timeline === undefined ? focus.timeline : { ...focus.timeline, [timeline.range]: timeline.view },
  };
}

function inFocus(state: State, service: string, change: (focus: Focus) => Focus): State {
  return state.focus?.name === service ? { ...state, focus: change(state.focus) } : state;
}

/** Each entry once, oldest first: a GET and the stream may both bring it. */
function merged(before: readonly HistoryView[], more: readonly HistoryView[]): readonly HistoryView[] {
  const known = new Set(before.map(keyOf));
  const fresh = more.filter((entry) => !known.has(keyOf(entry)));
  if (fresh.length === 0) return before;
  // Stable: of one millisecond, as they came.
  return [...before, ...fresh].sort((a, b) => Date.parse(a.at) - Date.parse(b.at)).slice(-MAX_HISTORY);
}

function keyOf({ at, number, kind, actor, cause, step }: HistoryView): string {
  return JSON.stringify([at, number, kind, actor, cause, step]);
}
