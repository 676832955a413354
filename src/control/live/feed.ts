import type { HistoryEntry, RolloutState } from '../../core/rollout/state.ts';
import type { LiveEvent } from '../live-views.ts';
import { historyView } from '../rollouts/view.ts';
import type { RolloutView } from '../rollouts/views.ts';

export type LiveSink = (event: LiveEvent) => void;

/** What of a rollout shows whether it changed. */
export interface RolloutMark {
  readonly state: RolloutState;
  readonly blocked: string | null;
  readonly storeProblem: string | null;
}

export interface FeedDeps {
  overview(): Extract<LiveEvent, { kind: 'overview' }>['overview'];
  /** Null: there is no such service, or it has no rollout. */
  mark(service: string): RolloutMark | null;
  rollout(service: string): RolloutView | null;
  point(service: string): Extract<LiveEvent, { kind: 'point' }>['point'] | null;
  experiment(service: string): Extract<LiveEvent, { kind: 'experiment' }>['experiment'] | null;
}

/** Those who watch one service, and what they have been told of its rollout. */
interface Watched {
  readonly sinks: Set<LiveSink>;
  mark: readonly unknown[];
  lastEntry: HistoryEntry | null;
}

/** Tells who listens what changes. Each event is made once, however many listen; while nobody does none is. */
export class Feed {
  readonly #deps: FeedDeps;
  readonly #all = new Set<LiveSink>();
  readonly #watched = new Map<string, Watched>();

  constructor(deps: FeedDeps) {
    this.#deps = deps;
  }

  /**
   * The sink is handed how things stand before this returns, and from then on what changes. With a
   * service it is told of that one as well. A sink must not throw.
   */
  subscribe(service: string | null, sink: LiveSink): () => void {
    sink({ kind: 'overview', overview: this.#deps.overview() });
    this.#all.add(sink);
    if (service === null) return () => void this.#all.delete(sink);
    // Those who listen already hear first of what has happened since the last look: it is not new to this one.
    this.checkRollouts();
    const watched = this.#watched.get(service) ?? this.#beginWatch(service);
    const rollout = this.#deps.rollout(service);
    if (rollout !== null) sink({ kind: 'rollout', rollout });
    const experiment = this.#deps.experiment(service);
    if (experiment !== null) sink({ kind: 'experiment', experiment });
    watched.sinks.add(sink);
    return () => {
      this.#all.delete(sink);
      watched.sinks.delete(sink);
      if (watched.sinks.size === 0) this.#watched.delete(service);
    };
  }

  /** Tells of rollouts that changed; called often. */
  checkRollouts(): void {
    for (const [service, watched] of this.#watched) {
      const mark = markOf(this.#deps.mark(service));
      if (mark.every((part, i) => part === watched.mark[i])) continue;
      this.#tellRollout(service, watched);
    }
  }

  /** A step has ended: tells everything. */
  tellAll(): void {
    if (this.#all.size === 0) return;
    send(this.#all, { kind: 'overview', overview: this.#deps.overview() });
    for (const [service, watched] of this.#watched) {
      this.#tellRollout(service, watched);
      const point = this.#deps.point(service);
      if (point !== null) send(watched.sinks, { kind: 'point', point });
      const experiment = this.#deps.experiment(service);
      if (experiment !== null) send(watched.sinks, { kind: 'experiment', experiment });
    }
  }

  #beginWatch(service: string): Watched {
    const mark = this.#deps.mark(service);
    const lastEntry = mark?.state.history.at(-1) ?? null;
    const watched = { sinks: new Set<LiveSink>(), mark: markOf(mark), lastEntry };
    this.#watched.set(service, watched);
    return watched;
  }

  #tellRollout(service: string, watched: Watched): void {
    const mark = this.#deps.mark(service);
    watched.mark = markOf(mark);
    const rollout = this.#deps.rollout(service);
    if (mark === null || rollout === null) return;
    send(watched.sinks, { kind: 'rollout', rollout });
    const { history } = mark.state;
    const entries = entriesAfter(history, watched.lastEntry);
    watched.lastEntry = history.at(-1) ?? null;
    if (entries.length > 0) {
      send(watched.sinks, { kind: 'history', service, entries: entries.map(historyView) });
    }
  }
}

function send(sinks: Iterable<LiveSink>, event: LiveEvent): void {
  // A sink may unsubscribe while it is told.
  for (const sink of [...sinks]) sink(event);
}

/** All but the clock, which runs while nothing changes. */
function markOf(mark: RolloutMark | null): readonly unknown[] {
  if (mark === null) return [null];
  const { state, blocked, storeProblem } = mark;
  const { clockMs: _, ...rest } = state;
  return [blocked, storeProblem, ...Object.values(rest)];
}

/** Entries are never changed, so the last one is found again by itself; where it fell out, by its time. */
function entriesAfter(history: readonly HistoryEntry[], last: HistoryEntry | null): readonly HistoryEntry[] {
  if (last === null) return history;
  const at = history.lastIndexOf(last);
  return at >= 0 ? history.slice(at + 1) : history.filter(({ wallMs }) => wallMs > last.wallMs);
}
