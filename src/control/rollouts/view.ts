import type { AnalysisPlan, Provider } from '../../core/analysis/plan.ts';
import type { MetricState, RunState } from '../../core/analysis/state.ts';
import { quantileOf } from '../../core/analysis/tally-read.ts';
import type { Verdict } from '../../core/judge/gates.ts';
import { assertNever, type Service } from '../../core/model.ts';
import { analysisPlanOf } from '../../core/rollout/analyses.ts';
import { describeStep } from '../../core/rollout/describe.ts';
import { stepEndMs } from '../../core/rollout/due.ts';
import { phaseOf } from '../../core/rollout/phase.ts';
import { settingsOf } from '../../core/rollout/settings.ts';
import type { HistoryEntry } from '../../core/rollout/state.ts';
import { weightBpOf } from '../../core/split/shares.ts';
import { judgedView } from '../judge/view.ts';
import type { RolloutSummary } from '../live-views.ts';
import type { Windows } from '../windows.ts';
import type { Slot } from './slot.ts';
import type {
  AnalysisView,
  HistoryView,
  MetricView,
  RolloutView,
  StepView,
  VersionTraffic,
} from './views.ts';

/** Of the traffic that a view shows. */
const TRAFFIC_WINDOW_MS = 60_000;

/** What may be seen of a rollout by those who show it. */
export type ShownSlot = Readonly<Pick<Slot, 'plan' | 'state' | 'blocked' | 'storeProblem' | 'at'>>;

export interface ViewDeps {
  readonly windows: Windows;
  readonly timeScale: number;
  revision(): number;
  /** As it is in force. */
  service(name: string): Service | undefined;
  /** The last one; null: none since this process began. */
  verdict(service: string): Verdict | null;
}

export function viewOf(deps: ViewDeps, slot: Slot): RolloutView {
  const { plan, state, blocked } = slot;
  const settings = settingsOf(plan, blocked === null ? state : null);
  return {
    ...headOf(slot, deps.timeScale),
    service: plan.service,
    scope: settings.scope,
    scopes: settings.scopes.map(({ label, weightBp }) => ({ label, weight: weightBp / 100 })),
    steps: stepViews(slot),
    analyses: runsOf(slot).map((run) => analysisView(analysisPlanOf(slot, run), run)),
    ...judgedView(deps.verdict(plan.service)),
    versions: trafficOf(deps, plan.service, plan.canary),
    revision: deps.revision(),
    timeScale: deps.timeScale,
    began: state.number === 0 ? null : new Date(state.beganWallMs).toISOString(),
  };
}

/** What of a rollout tells whether a person must look closer. */
export function rolloutSummaryOf(
  slot: ShownSlot,
  timeScale: number,
  verdict: Verdict | null,
): RolloutSummary {
  const judged = verdict === null || verdict.gates.length === 0 ? null : verdict;
  return {
    ...headOf(slot, timeScale),
    steps: slot.plan.steps.length,
    verdict: judged && { state: judged.state, holdRamp: judged.holdRamp, text: judged.text },
  };
}

function headOf(slot: ShownSlot, timeScale: number) {
  const { plan, state, blocked } = slot;
  const { progress } = state;
  const told = phaseOf(plan, state);
  return {
    number: state.number,
    phase: blocked === null ? told.phase : ('Degraded' as const),
    status: blocked === null ? progress.kind : ('blocked' as const),
    message: blocked ?? withStoreProblem(told.message, slot.storeProblem),
    stable: plan.stable,
    canary: plan.canary,
    weight: settingsOf(plan, blocked === null ? state : null).weightBp / 100,
    userPaused: state.userPaused,
    step: progress.kind === 'stepping' && progress.index >= 0 ? progress.index : null,
    nextInMs: nextInMs(slot, timeScale),
    hold: state.hold?.reason ?? null,
  };
}

export function historyView({ wallMs, ...rest }: HistoryEntry): HistoryView {
  return { at: new Date(wallMs).toISOString(), ...rest };
}

function withStoreProblem(message: string, problem: string | null): string {
  return problem === null ? message : `${message}; its state cannot be saved: ${problem}`;
}

function stepViews({ plan, state }: Slot): StepView[] {
  const { progress } = state;
  const current =
    progress.kind === 'stepping' ? progress.index : progress.kind === 'completed' ? Infinity : -1;
  return plan.steps.map((step, i) => ({
    text: describeStep(step),
    state: i < current ? 'done' : i === current ? 'current' : 'pending',
  }));
}

function nextInMs(slot: ShownSlot, timeScale: number): number | null {
  const { plan, state } = slot;
  const end = stepEndMs(plan, state);
  if (end === null || state.userPaused) return null;
  return Math.max(0, Math.round((end - slot.at().nowMs) / timeScale));
}

function runsOf({ state }: Slot): readonly RunState[] {
  const own = state.progress.kind === 'stepping' ? state.progress.runs : [];
  return state.background === null ? own : [state.background, ...own];
}

function analysisView(plan: AnalysisPlan | null, run: RunState): AnalysisView {
  const metrics = run.metrics.map((metric) => metricView(plan, metric));
  return { label: run.label, phase: run.phase, message: run.message, metrics };
}

function metricView(analysis: AnalysisPlan | null, state: MetricState): MetricView {
  const plan = analysis?.metrics.find(({ name }) => name === state.name);
  const last = state.measurements.at(-1);
  return {
    name: state.name,
    provider: plan === undefined ? '' : providerText(plan.provider),
    dryRun: plan?.dryRun ?? false,
    phase: state.phase,
    message: state.message,
    successCondition: plan?.successCondition?.source ?? '',
    failureCondition: plan?.failureCondition?.source ?? '',
    failureLimit: plan?.failureLimit ?? 0,
    successful: state.successful,
    failed: state.failed,
    inconclusive: state.inconclusive,
    error: state.error,
    noData: state.noData,
    last:
      last === undefined
        ? null
        : {
            phase: last.phase,
            value: last.value,
            message: last.message,
            at: new Date(last.wallMs).toISOString(),
          },
  };
}

/** Without addresses: they may hold credentials. */
function providerText(provider: Provider): string {
  switch (provider.kind) {
    case 'prometheus':
    case 'web':
      return provider.kind;
    case 'coalmine':
      return `coalmine ${provider.read.measure}`;
    case 'webhook':
      return `webhook ${provider.hook}`;
    default:
      return assertNever(provider);
  }
}

function trafficOf(
  { windows, timeScale, service }: ViewDeps,
  name: string,
  canary: string,
): VersionTraffic[] {
  const current = service(name);
  return (current?.versions ?? []).map((version, index) => {
    const { stable, shares } = current as Service;
    const counts = windows.counts(name, version.name, TRAFFIC_WINDOW_MS * timeScale);
    const requests = counts?.requests ?? 0;
    return {
      name: version.name,
      role: index === stable ? 'stable' : version.name === canary ? 'canary' : 'other',
      weight: weightBpOf(shares, stable, index) / 100,
      windowMs: counts?.spanMs ?? 0,
      requests,
      ratePerS: counts === null || counts.spanMs === 0 ? 0 : (requests / counts.spanMs) * 1_000,
      errorShare: counts === null || requests === 0 ? null : counts.errors / requests,
      p50Ms: counts === null ? null : quantileOf(counts, 0.5),
      p99Ms: counts === null ? null : quantileOf(counts, 0.99),
    };
  });
}
