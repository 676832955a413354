import { carryStages } from '../config/diff.ts';
import { assertNever, type Service } from '../core/model.ts';
import { type DescribedRequest, type Explanation, explain } from '../core/split/explain.ts';
import type { Log, PatternCompiler } from '../ports.ts';
import type { Holder } from './holder.ts';
import type { ExperimentView } from './judge/experiment-view.ts';
import type { FeedbackSummary } from './judge/feedback.ts';
import type { LiveFace } from './live/live.ts';
import type { ReloadState } from './reload.ts';
import type { RolloutRefusal, RolloutsFace, RolloutView } from './rollouts/views.ts';
import {
  detailOf,
  type EndpointHealth,
  isUsable,
  type ServiceDetail,
  type ServiceSummary,
  summaryOf,
} from './views.ts';
import { isSetByHand, sharesWith, type WeightProblem, withShares } from './weights.ts';

export type { Command, Phase as RolloutPhase } from '../core/rollout/state.ts';
export type { DescribedRequest, Explanation } from '../core/split/explain.ts';
export type { ExperimentView, VariantView } from './judge/experiment-view.ts';
export type { FeedbackSummary } from './judge/feedback.ts';
export type { LiveSink } from './live/feed.ts';
export type { LiveFace } from './live/live.ts';
export type {
  ComingStep,
  ExperimentTimelineView,
  IntervalColumns,
  LiveEvent,
  OverviewService,
  OverviewVersion,
  OverviewView,
  RolloutSummary,
  TimelinePoint,
  TimelineVersion,
  TimelineView,
} from './live-views.ts';
export type { ReloadFailure, ReloadState } from './reload.ts';
export type {
  AnalysisView,
  CommandOutcome,
  EstimateView,
  EvidenceView,
  GateView,
  HistoryView,
  MetricView,
  RolloutRefusal,
  RolloutsFace,
  RolloutView,
  StepView,
  VerdictView,
  VersionTraffic,
} from './rollouts/views.ts';
export type {
  EndpointHealth,
  RuleView,
  ServiceDetail,
  ServiceSummary,
  VersionDetail,
  VersionSummary,
} from './views.ts';

/** Where the process is in its life. Only `ready` takes new users. */
export type Phase = 'starting' | 'ready' | 'draining';

export interface Readiness {
  readonly status: Phase;
  readonly revision: number;
  readonly reload: ReloadState;
  readonly services: readonly {
    readonly name: string;
    readonly versions: readonly { readonly name: string; readonly healthy: number; readonly total: number }[];
  }[];
}

export interface WeightCommand {
  /** A canary of the service; null: its only one. */
  readonly version: string | null;
  readonly weightBp: number;
  /** Done only while the Split has this revision; null: whatever it is. */
  readonly ifRevision: number | null;
  /** Who asks, for the history of a rollout. */
  readonly actor: string;
}

export interface WeightSet {
  readonly service: string;
  readonly version: string;
  /** Percent. */
  readonly weight: number;
  readonly previousWeight: number;
  readonly stage: number;
  readonly revision: number;
  /** What ends it: a new config of the service, or the next step of its rollout that sets a weight. */
  readonly until: 'config' | 'step';
}

export type WeightRefusal =
  /** `rollout_rules`: the service has a rollout whose steps are not running. */
  | { readonly code: 'unknown_service' | 'rollout_rules'; readonly message: string }
  | RolloutRefusal
  | { readonly code: 'revision_changed'; readonly message: string }
  | WeightProblem;

export type WeightOutcome =
  | { readonly ok: true; readonly done: WeightSet }
  | { readonly ok: false; readonly refusal: WeightRefusal };

/** Business figures: what became of answers, and the experiments on it. */
export interface KpiFace {
  /** Items as they came; never rejects because of one of them. */
  feedback(items: readonly unknown[]): Promise<FeedbackSummary>;
  experiments(): ExperimentView[];
  /** Null: no such service, or it has no experiment. */
  experiment(name: string): ExperimentView | null;
}

/** All that the surfaces may ask of the control path. Answers are plain data without secrets. */
export interface ControlApi extends RolloutsFace, KpiFace, LiveFace {
  revision(): number;
  services(): ServiceSummary[];
  service(name: string): ServiceDetail | null;
  explain(name: string, request: DescribedRequest): Explanation | null;
  phase(): Phase;
  readiness(): Readiness;
  /** Mirrored requests that were answered differently and kept for reading, oldest first; null: no such service. */
  disagreements(name: string): readonly KeptPair[] | null;
  /** Takes effect at once; the file is not touched. Under a rollout it is a command to that. */
  setWeight(name: string, command: WeightCommand): Promise<WeightOutcome>;
}

/** A request whose two answers differ, redacted as its config says. */
export interface KeptPair {
  /** Wall clock, ms. */
  readonly atMs: number;
  readonly requestId: string;
  readonly clientVersion: string;
  readonly shadowVersion: string;
  readonly client: unknown;
  readonly shadow: unknown;
}

export interface ControlDeps {
  readonly holder: Holder;
  phase(): Phase;
  reloadState(): ReloadState;
  endpoints(): readonly EndpointHealth[];
  disagreements(service: string): readonly KeptPair[];
  readonly compilePattern: PatternCompiler;
  readonly rollouts: RolloutsFace;
  readonly kpis: KpiFace;
  readonly live: LiveFace;
  readonly log: Log;
}

export function createControlApi(deps: ControlDeps): ControlApi {
  const { holder, rollouts, kpis, live } = deps;
  const find = (name: string) => holder.split().services.find((service) => service.name === name);
  // A rollout's weights always differ from the file's, and are nobody's hand.
  const byHand = (service: Service) =>
    isSetByHand(service, holder.config().split) && rollouts.rollout(service.name) === null;
  return {
    revision: () => holder.split().revision,
    services() {
      const health = deps.endpoints();
      return holder.split().services.map((service) => summaryOf(service, health, byHand(service)));
    },
    service(name) {
      const service = find(name);
      return service === undefined
        ? null
        : detailOf(holder.split(), service, deps.endpoints(), byHand(service));
    },
    explain(name, request) {
      const service = find(name);
      return service === undefined ? null : explain(holder.split(), service, request, deps.compilePattern);
    },
    disagreements: (name) => (find(name) === undefined ? null : deps.disagreements(name)),
    phase: deps.phase,
    readiness: () => readinessOf(deps),
    async setWeight(name, command) {
      const service = find(name);
      if (service === undefined) return refuse('unknown_service', `there is no service ${name}`);
      const { revision } = holder.split();
      if (command.ifRevision !== null && command.ifRevision !== revision) {
        const message = `the revision is ${revision}, not ${command.ifRevision}; read again`;
        return refuse('revision_changed', message);
      }
      const rollout = rollouts.rollout(name);
      return rollout === null
        ? setWeight(deps, service, command)
        : setRolloutWeight(deps, service, rollout, command);
    },
    rollouts: () => rollouts.rollouts(),
    rollout: (name) => rollouts.rollout(name),
    history: (name) => rollouts.history(name),
    rolloutCommand: (name, command, actor) => rollouts.rolloutCommand(name, command, actor),
    feedback: (items) => kpis.feedback(items),
    experiments: () => kpis.experiments(),
    experiment: (name) => kpis.experiment(name),
    timeline: (name, step) => live.timeline(name, step),
    experimentTimeline: (name) => live.experimentTimeline(name),
    coming: (name, request) => live.coming(name, request),
    watch: (name, sink) => live.watch(name, sink),
  };
}

function setWeight(deps: ControlDeps, service: Service, command: WeightCommand): WeightOutcome {
  const { holder, log } = deps;
  const before = holder.split();
  const wanted = sharesWith(service, command.version, command.weightBp);
  if (!wanted.ok) return { ok: false, refusal: wanted.problem };
  const index = service.versions.findIndex((version) => version.name === wanted.version);
  const previousBp = service.shares.find((share) => share.version === index)?.weightBp ?? 0;
  if (previousBp !== command.weightBp) {
    holder.swap(carryStages(before, withShares(before, service.name, wanted.shares)));
  }
  const done: WeightSet = {
    service: service.name,
    version: wanted.version,
    weight: command.weightBp / 100,
    previousWeight: previousBp / 100,
    ...placeNow(holder, service),
    until: 'config',
  };
  log.info(done, 'weight set by hand');
  return { ok: true, done };
}

/** The rollout decides the weights of its service, so it is asked, and it writes the history. */
async function setRolloutWeight(
  deps: ControlDeps,
  service: Service,
  before: RolloutView,
  { version, weightBp, actor }: WeightCommand,
): Promise<WeightOutcome> {
  if (version !== null && version !== before.canary) {
    const message = `${version} is not a canary of ${service.name}; its canary: ${before.canary}`;
    return refuse('unknown_version', message);
  }
  if (before.status !== 'stepping') return refuse('rollout_rules', whyNoWeight(before, before.status));
  const outcome = await deps.rollouts.rolloutCommand(service.name, { kind: 'setWeight', weightBp }, actor);
  if (!outcome.ok) return refuse(outcome.code, outcome.message);
  const done: WeightSet = {
    service: service.name,
    version: before.canary,
    weight: weightBp / 100,
    previousWeight: before.weight,
    ...placeNow(deps.holder, service),
    until: 'step',
  };
  return { ok: true, done };
}

function placeNow(holder: Holder, service: Service): Pick<WeightSet, 'stage' | 'revision'> {
  const now = holder.split();
  const stage = now.services.find((one) => one.name === service.name)?.stage ?? service.stage;
  return { stage, revision: now.revision };
}

/** While no step runs the weight follows from where the rollout is: 0 or 100. */
function whyNoWeight(
  { service, canary, message }: RolloutView,
  status: Exclude<RolloutView['status'], 'stepping'>,
): string {
  const when = `the weight of ${service} can be set while the steps of its rollout run`;
  switch (status) {
    case 'idle':
    case 'undone':
      return `${when}; begin it with "coalmine start ${service}"`;
    case 'starting':
      return `${when}; it is still asking whether it may start`;
    case 'completed':
      return `${when}, and they are done: everyone gets ${canary}; "coalmine undo ${service}" takes that back`;
    case 'aborted':
      return `${when}, and it was aborted; "coalmine retry ${service}" begins it again`;
    case 'blocked':
      return `${when}, and it cannot: ${message}`;
    default:
      return assertNever(status);
  }
}

function refuse(code: WeightRefusal['code'], message: string): WeightOutcome & { readonly ok: false } {
  return { ok: false, refusal: { code, message } };
}

function readinessOf(deps: ControlDeps): Readiness {
  const split = deps.holder.split();
  const health = deps.endpoints();
  return {
    status: deps.phase(),
    revision: split.revision,
    reload: deps.reloadState(),
    services: split.services.map((service) => ({
      name: service.name,
      versions: service.versions.map(({ name, upstream }) => {
        const own = health.filter((one) => one.service === service.name && one.version === name);
        const total = upstream.endpoints.length;
        return { name, healthy: total - own.filter((one) => !isUsable(one)).length, total };
      }),
    })),
  };
}
