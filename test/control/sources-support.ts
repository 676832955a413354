import type { Test } from 'tap';
import { createMetricSource, type MetricSourceDeps } from '../../src/control/sources/create.ts';
import type { Windows } from '../../src/control/windows.ts';
import type { MetricPlan, Provider } from '../../src/core/analysis/plan.ts';
import type { Outcome } from '../../src/core/analysis/state.ts';
import type { MeasureContext } from '../../src/ports.ts';

export type Prometheus = Extract<Provider, { readonly kind: 'prometheus' }>;
export type Web = Extract<Provider, { readonly kind: 'web' }>;

export function prometheus(address: string, options: Partial<Prometheus> = {}): Prometheus {
  return {
    kind: 'prometheus',
    address,
    query: 'up',
    headers: [],
    bearerTokenFile: null,
    timeoutMs: 10_000,
    range: null,
    ...options,
  };
}

export function web(url: string, options: Partial<Web> = {}): Web {
  return {
    kind: 'web',
    url,
    method: 'GET',
    headers: [],
    body: null,
    jsonPath: [],
    timeoutMs: 10_000,
    ...options,
  };
}

export function metric(provider: Provider, options: Partial<MetricPlan> = {}): MetricPlan {
  return {
    name: 'metric',
    provider,
    intervalMs: null,
    initialDelayMs: 0,
    count: null,
    successCondition: null,
    failureCondition: null,
    failureLimit: 0,
    inconclusiveLimit: 0,
    consecutiveErrorLimit: 4,
    consecutiveSuccessLimit: 0,
    dryRun: false,
    retention: 10,
    minSamples: null,
    ...options,
  };
}

export const CONTEXT: MeasureContext = { service: 'svc', stable: 'v1', canary: 'v2', runningMs: 60_000 };
export const WALL_MS = 1_700_000_000_123;
const NO_WINDOWS: Windows = { look: () => {}, counts: () => null, traffic: () => null };

/** A source that is closed with the test, and asks as a rollout would. */
export function startSource(t: Test, deps: Partial<MetricSourceDeps> = {}) {
  const source = createMetricSource({
    windows: NO_WINDOWS,
    clock: { nowMs: () => 0, wallMs: () => WALL_MS },
    callHook: () => Promise.reject(new Error('no hook was expected')),
    ...deps,
  });
  t.teardown(() => source.close());
  const never = new AbortController().signal;
  return {
    source,
    measure: (plan: MetricPlan, signal = never): Promise<Outcome> => source.measure(plan, CONTEXT, signal),
    ask: (provider: Provider, signal = never): Promise<Outcome> =>
      source.measure(metric(provider), CONTEXT, signal),
  };
}

export function value(of: unknown, samples: number | null = null): Outcome {
  return { kind: 'value', value: of, samples };
}
