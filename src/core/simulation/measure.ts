import type { MetricPlan, Provider, QueryRange } from '../analysis/plan.ts';
import type { Outcome } from '../analysis/state.ts';
import { readTally } from '../analysis/tally-read.ts';
import { assertNever } from '../model.ts';
import { evaluatePromql, type PromValue } from './promql/evaluate.ts';
import { Unsupported } from './promql/lex.ts';
import { parsePromql } from './promql/parse.ts';
import { keyOf, type Scraped } from './promql/series.ts';

/** Answers the measurements of a play from its counts. */

export interface MeasureWorld extends Scraped {
  /** Values given by hand, by the metric's name; they go before everything else. */
  readonly given: ReadonlyMap<string, unknown>;
  /** Told of what could not be simulated, and why. */
  unsimulated(metric: string, reason: string): void;
}

/** @param runSinceMs when the run began; nothing from before it counts for the gateway's own counters */
export function simulateMeasurement(
  { name, provider, minSamples }: MetricPlan,
  world: MeasureWorld,
  runSinceMs: number,
): Outcome {
  if (world.given.has(name)) {
    const value = world.given.get(name);
    // What Prometheus answers is a list, and its conditions are written for one.
    const listed = provider.kind === 'prometheus' && typeof value === 'number' ? [value] : value;
    return { kind: 'value', value: listed, samples: minSamples?.count ?? null };
  }
  try {
    const outcome = ask(provider, world, runSinceMs);
    if (minSamples === null || outcome.kind !== 'value') return outcome;
    const samples =
      minSamples.query === null
        ? world.traffic.window('canary', Number.POSITIVE_INFINITY, runSinceMs).requests
        : countOf(minSamples.query, world);
    return { ...outcome, samples };
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    world.unsimulated(name, error.message);
    return { kind: 'noData', reason: `not simulated: ${error.message}` };
  }
}

function ask(provider: Provider, world: MeasureWorld, runSinceMs: number): Outcome {
  switch (provider.kind) {
    case 'coalmine': {
      const { read } = provider;
      const counts = (role: 'canary' | 'stable') => world.traffic.window(role, read.windowMs, runSinceMs);
      return readTally(read, counts('canary'), counts('stable'));
    }
    case 'prometheus':
      return query(provider.query, provider.range, world);
    case 'web':
      throw new Unsupported('what a web provider answers is not known here');
    case 'webhook':
      return { kind: 'value', value: true, samples: null };
    default:
      return assertNever(provider);
  }
}

function query(text: string, range: QueryRange | null, world: MeasureWorld): Outcome {
  const expr = parsePromql(text);
  const { nowMs } = world.traffic;
  if (range === null) return outcomeOf(valuesOf(evaluatePromql(expr, world, nowMs)));
  const bySeries = new Map<string, number[]>();
  const step = Math.max(range.stepMs, 1_000);
  for (let ms = nowMs - range.startBeforeMs; ms <= nowMs - range.endBeforeMs; ms += step) {
    const value = evaluatePromql(expr, world, ms);
    const samples = value.kind === 'scalar' ? [{ labels: {}, value: value.value }] : value.samples;
    for (const sample of samples) {
      const key = keyOf(sample.labels);
      bySeries.set(key, [...(bySeries.get(key) ?? []), sample.value]);
    }
  }
  return outcomeOf([...bySeries.values()].flat());
}

function valuesOf(value: PromValue): number | number[] {
  return value.kind === 'scalar' ? value.value : value.samples.map((sample) => sample.value);
}

function outcomeOf(value: number | number[]): Outcome {
  if (Array.isArray(value) && value.length === 0) {
    return { kind: 'noData', reason: 'the result of the query is empty' };
  }
  return { kind: 'value', value, samples: null };
}

function countOf(text: string, world: MeasureWorld): number {
  const value = valuesOf(evaluatePromql(parsePromql(text), world, world.traffic.nowMs));
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined || Number.isNaN(first) ? 0 : Math.round(first);
}
