import { compileCondition } from '../../src/core/analysis/conditions/compile.ts';
import type { AnalysisPlan, Condition, MetricPlan, Provider } from '../../src/core/analysis/plan.ts';
import type { RolloutPlan, Step } from '../../src/core/rollout/plan.ts';
import { seeded } from '../../src/core/simulation/draws.ts';
import { type Play, type PlayOptions, play } from '../../src/core/simulation/play.ts';
import { compileWithRegExp } from './facts.ts';

/** Plans for plays: a test says only in what it differs from the textbook's. */

export const MINUTE = 60_000;
export const EDGES = [1, 5, 10, 25, 50, 75, 100, 150, 200, 250, 350, 500, 750, 1_000, 2_000, 5_000];

/** The success rate over all versions, as the textbook's AnalysisTemplate asks for it. */
export const TEXTBOOK_QUERY =
  'sum(rate(http_requests_total{app="iris-api",status!~"5.."}[2m])) / sum(rate(http_requests_total{app="iris-api"}[2m]))';

export function condition(source: string): Condition {
  const compiled = compileCondition(source, compileWithRegExp);
  if (!compiled.ok) throw new Error(`${source}: ${compiled.message}`);
  return compiled.condition;
}

export function prometheus(query: string): Provider {
  return {
    kind: 'prometheus',
    address: 'http://127.0.0.1:9',
    query,
    headers: [],
    bearerTokenFile: null,
    timeoutMs: 30_000,
    range: null,
  };
}

export function metric(provider: Provider, options: Partial<MetricPlan> = {}): MetricPlan {
  return {
    name: 'success-rate',
    provider,
    intervalMs: MINUTE,
    initialDelayMs: 0,
    count: null,
    successCondition: condition('result[0] >= 0.99'),
    failureCondition: null,
    failureLimit: 3,
    inconclusiveLimit: 0,
    consecutiveErrorLimit: 4,
    consecutiveSuccessLimit: 0,
    dryRun: false,
    retention: 10,
    minSamples: null,
    ...options,
  };
}

export function analysis(...metrics: MetricPlan[]): AnalysisPlan {
  return { metrics, noData: 'hold' };
}

export const weight = (percent: number): Step => ({ kind: 'setWeight', weightBp: percent * 100 });
export const pause = (minutes: number | null): Step => ({
  kind: 'pause',
  durationMs: minutes === null ? null : minutes * MINUTE,
});

/** 5 % for 5 minutes, 25 % for 10, 50 % for 15, then everyone; a background analysis from the first pause on. */
export function plan(options: Partial<RolloutPlan> = {}): RolloutPlan {
  const steps = [weight(5), pause(5), weight(25), pause(10), weight(50), pause(15), weight(100)];
  const canary = prometheus(TEXTBOOK_QUERY.replaceAll('app="iris-api"', 'app="iris-api",version="v2"'));
  return {
    service: 'iris-api',
    stable: 'v1',
    canary: 'v2',
    canaryDefinition: 'v2',
    stableDefinition: 'v1',
    steps,
    stepsDefinition: 'steps',
    background: { analysis: analysis(metric(canary)), startingStep: 1 },
    start: 'auto',
    onFailure: 'abort',
    onInconclusive: 'pause',
    progressDeadlineMs: 600_000,
    progressDeadlineAbort: false,
    rollbackWindow: 0,
    managedRoutes: [],
    requires: [],
    webhooks: [],
    notifications: [],
    ...options,
  };
}

export function played(options: Partial<PlayOptions> & { readonly seed?: number } = {}): Play {
  const { seed = 1, ...rest } = options;
  return play({
    plan: plan(),
    ratePerS: 100,
    medianMs: 20,
    errorShare: 0,
    faults: [],
    random: seeded(seed),
    edgesMs: EDGES,
    untilMs: 120 * MINUTE,
    given: new Map(),
    promoteAfterMs: null,
    compile: compileWithRegExp,
    ...rest,
  });
}

/** `kind weight cause` of each event, without the repeated words. */
export function told(result: Play): string[] {
  return result.events.map(({ atMs, kind, weight: at, cause }) => `${atMs / MINUTE}m ${kind} ${at} ${cause}`);
}
