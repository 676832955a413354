import { comingSteps } from '../../core/rollout/coming.ts';
import type { DescribedRequest } from '../../core/split/explain.ts';
import type { Clock, Log, PatternCompiler } from '../../ports.ts';
import type { ArmsLifetime } from '../../tally/arms-lifetime.ts';
import type { Recorder } from '../../tally/recorder.ts';
import type { Holder } from '../holder.ts';
import type { Board } from '../judge/board.ts';
import type { Experiments } from '../judge/experiments.ts';
import type { ComingStep, ExperimentTimelineView, OverviewView, TimelineView } from '../live-views.ts';
import { failureText, type ReloadState } from '../reload.ts';
import type { Rollouts } from '../rollouts/manager.ts';
import { rolloutSummaryOf } from '../rollouts/view.ts';
import { ExperimentTimelines } from '../timeline/experiment-timelines.ts';
import type { TierName } from '../timeline/series.ts';
import { Timelines } from '../timeline/timelines.ts';
import type { EndpointHealth } from '../views.ts';
import { isSetByHand } from '../weights.ts';
import { Feed, type LiveSink } from './feed.ts';
import { overviewServices } from './overview.ts';

/** How soon a change of a rollout is told, at the latest. */
const TICK_MS = 50;

/** What the surfaces may ask of what is shown live. Null: there is no such service, or not what is asked for. */
export interface LiveFace {
  timeline(service: string, step: TierName): TimelineView | null;
  /** Null too where the experiment has only just begun. */
  experimentTimeline(service: string): ExperimentTimelineView | null;
  /** The steps ahead of a rollout under way, and where they would send a request; none without one. */
  coming(service: string, request: DescribedRequest): readonly ComingStep[];
  /**
   * How things stand at once, then what changes; of the service too, where one is named. Returns what
   * ends it. The sink must not throw.
   */
  watch(service: string | null, sink: LiveSink): () => void;
}

export interface LiveDeps {
  readonly recorder: Recorder;
  readonly answers: ArmsLifetime;
  readonly rollouts: Pick<Rollouts, 'rollout' | 'shown'>;
  readonly board: Pick<Board, 'verdict'>;
  readonly experiments: Pick<Experiments, 'experiment' | 'experiments'>;
  readonly holder: Holder;
  readonly clock: Clock;
  readonly timeScale: number;
  readonly compilePattern: PatternCompiler;
  readonly log: Log;
  phase(): OverviewView['phase'];
  reloadState(): ReloadState;
  endpoints(): readonly EndpointHealth[];
}

/** Looks at the counters once a second, remembers them, and tells those who watch. */
export class Live implements LiveFace {
  readonly #deps: LiveDeps;
  readonly #timelines: Timelines;
  readonly #experiments = new ExperimentTimelines();
  readonly #feed: Feed;
  #timer: NodeJS.Timeout | null = null;
  /** What was logged last; it is not logged again every second. */
  #fault = '';

  constructor(deps: LiveDeps) {
    this.#deps = deps;
    const { recorder, answers, clock, holder, rollouts, experiments } = deps;
    this.#timelines = new Timelines({
      totals: recorder,
      answers,
      clock,
      split: holder.split,
      watched: () => {
        const { rollouts: walked, judges } = holder.config();
        return [...walked, ...judges].map(({ service }) => service);
      },
    });
    this.#feed = new Feed({
      overview: () => this.#overview(),
      mark: (name) => rollouts.shown(name),
      rollout: (name) => rollouts.rollout(name),
      point: (name) => {
        const service = this.#service(name);
        return service === undefined ? null : this.#timelines.point(service);
      },
      experiment: (name) => experiments.experiment(name),
    });
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#tickSafely(), TICK_MS);
    this.#timer.unref();
  }

  /** Nothing is remembered or told any more. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Does what is due; `start` calls it all the time. */
  tick(): void {
    const step = this.#timelines.tick();
    if (step === null) {
      this.#feed.checkRollouts();
      return;
    }
    this.#experiments.take(step, this.#deps.experiments.experiments());
    this.#feed.tellAll();
  }

  /** What is only shown must not end the process that serves users. */
  #tickSafely(): void {
    try {
      this.tick();
      this.#fault = '';
    } catch (error) {
      if (String(error) !== this.#fault) this.#deps.log.error({ err: error }, 'the live view failed');
      this.#fault = String(error);
    }
  }

  timeline(name: string, step: TierName): TimelineView | null {
    const service = this.#service(name);
    return service === undefined ? null : this.#timelines.view(service, step);
  }

  experimentTimeline(name: string): ExperimentTimelineView | null {
    return this.#experiments.view(name, (step) => this.#timelines.endOf(step));
  }

  coming(name: string, request: DescribedRequest): readonly ComingStep[] {
    const { holder, rollouts, compilePattern } = this.#deps;
    const shown = rollouts.shown(name);
    const service = holder.config().split.services.find((one) => one.name === name);
    if (shown === null || shown.blocked !== null || service === undefined) return [];
    const { plan, state } = shown;
    return comingSteps({ split: holder.split(), service, plan, state, request, compile: compilePattern });
  }

  watch(service: string | null, sink: LiveSink): () => void {
    return this.#feed.subscribe(service, sink);
  }

  #overview(): OverviewView {
    const { holder, clock, rollouts, board, experiments, timeScale } = this.#deps;
    const { revision, services } = holder.split();
    const { failure } = this.#deps.reloadState();
    return {
      atMs: Math.round(clock.wallMs()),
      revision,
      phase: this.#deps.phase(),
      reloadFailure: failure === null ? null : { atMs: failure.atMs, message: failureText(failure) },
      services: overviewServices(
        {
          endpoints: () => this.#deps.endpoints(),
          // A rollout's weights always differ from the file's, and are nobody's hand.
          setByHand: (service) =>
            rollouts.shown(service.name) === null && isSetByHand(service, holder.config().split),
          rollout: (name) => {
            const shown = rollouts.shown(name);
            return shown === null ? null : rolloutSummaryOf(shown, timeScale, board.verdict(name));
          },
          experiments: () => experiments.experiments(),
          lately: (name, version) => this.#timelines.lately(name, version),
        },
        services,
      ),
    };
  }

  #service(name: string) {
    return this.#deps.holder.split().services.find((service) => service.name === name);
  }
}
