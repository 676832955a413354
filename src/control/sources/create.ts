import type { MetricPlan, Provider } from '../../core/analysis/plan.ts';
import type { Outcome } from '../../core/analysis/state.ts';
import { assertNever } from '../../core/model.ts';
import type { Clock, HookAnswer, MeasureContext, MetricSource } from '../../ports.ts';
import type { Windows } from '../windows.ts';
import { countSamples, readCounters } from './coalmine.ts';
import { createHttpClient, type HttpClient } from './http.ts';
import { type PrometheusProvider, queryPrometheus, querySamples } from './prometheus.ts';
import { askWeb } from './web.ts';

export interface MetricSourceDeps {
  readonly windows: Windows;
  readonly clock: Clock;
  /** Calls the service's hook of that name. Never rejects. */
  readonly callHook: (hook: string, context: MeasureContext, signal: AbortSignal) => Promise<HookAnswer>;
}

export interface ClosableMetricSource extends MetricSource {
  /** Ends what is under way; measurements asked for later find nobody. */
  close(): Promise<void>;
}

/** Measures by every kind of provider. */
export function createMetricSource(deps: MetricSourceDeps): ClosableMetricSource {
  const http = createHttpClient();
  return {
    async measure(metric, context, signal) {
      try {
        return await measure(deps, http, metric, context, signal);
      } catch (error) {
        // Nothing above is known to throw; were it so, the run must hear of it and not wait for ever.
        return { kind: 'error', reason: `the measurement failed: ${String(error)}` };
      }
    },
    close: () => http.close(),
  };
}

async function measure(
  deps: MetricSourceDeps,
  http: HttpClient,
  { provider, minSamples }: MetricPlan,
  context: MeasureContext,
  signal: AbortSignal,
): Promise<Outcome> {
  if (provider.kind === 'prometheus' && typeof minSamples?.query === 'string') {
    return measureWithSamples(http, provider, minSamples.query, deps.clock.wallMs(), signal);
  }
  const outcome = await ask(deps, http, provider, context, signal);
  if (minSamples === null || outcome.kind !== 'value') return outcome;
  return { ...outcome, samples: countSamples(deps.windows, context) };
}

async function ask(
  { windows, clock, callHook }: MetricSourceDeps,
  http: HttpClient,
  provider: Provider,
  context: MeasureContext,
  signal: AbortSignal,
): Promise<Outcome> {
  switch (provider.kind) {
    case 'prometheus':
      return queryPrometheus(http, provider, clock.wallMs(), signal);
    case 'web':
      return askWeb(http, provider, signal);
    case 'coalmine':
      return readCounters(windows, provider.read, context);
    case 'webhook': {
      const { ok } = await callHook(provider.hook, context, signal);
      return { kind: 'value', value: ok, samples: null };
    }
    default:
      return assertNever(provider);
  }
}

/** Both at once, so that they tell of the same moment. What goes wrong with the value is told first. */
async function measureWithSamples(
  http: HttpClient,
  provider: PrometheusProvider,
  query: string,
  wallMs: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const [outcome, samples] = await Promise.all([
    queryPrometheus(http, provider, wallMs, signal),
    querySamples(http, provider, query, wallMs, signal),
  ]);
  if (outcome.kind !== 'value') return outcome;
  return typeof samples === 'number' ? { ...outcome, samples } : samples;
}
