import type { MetricPlan, MinSamples } from '../../core/analysis/plan.ts';
import { DEFAULTS } from '../defaults.ts';
import { type QuantityBounds, readArgoDuration } from '../forms/quantities.ts';
import { readLabel } from '../forms/texts.ts';
import type { Path } from '../issue.ts';
import { argoMsOf } from '../quantity.ts';
import type { RawMetric } from '../schema.ts';
import type { Filler } from './filler.ts';
import { compileProvider, type ResolveFile } from './provider.ts';

const base = DEFAULTS.metric;
const MAX_COUNT = 1_000_000;
const COUNTS = { min: 0, max: MAX_COUNT };

/** One metric with its arguments put in; where `filler.failed`, it is not to be used. */
export function compileMetric(
  raw: RawMetric,
  path: Path,
  filler: Filler,
  resolveFile: ResolveFile,
): MetricPlan {
  const at = (key: string) => [...path, key];
  const count = filler.integer(raw.count, 0, COUNTS, at('count'));
  const limits = { min: -1, max: MAX_COUNT };
  const metric: MetricPlan = {
    name: filler.read(raw.name, at('name'), readLabel) ?? '',
    provider: compileProvider(raw.provider, at('provider'), filler, resolveFile),
    intervalMs: raw.interval === undefined ? null : ms(raw.interval, INTERVAL, at('interval'), filler),
    initialDelayMs: ms(raw.initialDelay ?? base.initialDelay, DELAY, at('initialDelay'), filler),
    count: count === 0 ? null : count,
    successCondition: filler.condition(raw.successCondition, at('successCondition')),
    failureCondition: filler.condition(raw.failureCondition, at('failureCondition')),
    failureLimit: filler.integer(raw.failureLimit, base.failureLimit, limits, at('failureLimit')),
    inconclusiveLimit: filler.integer(
      raw.inconclusiveLimit,
      base.inconclusiveLimit,
      COUNTS,
      at('inconclusiveLimit'),
    ),
    consecutiveErrorLimit: filler.integer(
      raw.consecutiveErrorLimit,
      base.consecutiveErrorLimit,
      COUNTS,
      at('consecutiveErrorLimit'),
    ),
    consecutiveSuccessLimit: filler.integer(
      raw.consecutiveSuccessLimit,
      base.consecutiveSuccessLimit,
      COUNTS,
      at('consecutiveSuccessLimit'),
    ),
    dryRun: false,
    retention: base.retention,
    minSamples: compileMinSamples(raw, at('minSamples'), filler),
  };
  if (!filler.failed) checkLimits(metric, raw, path, filler);
  return metric;
}

const INTERVAL: QuantityBounds = { min: '100ms', max: '30d' };
const DELAY: QuantityBounds = { min: '0s', max: '30d' };

function ms(raw: string | number, bounds: QuantityBounds, path: Path, filler: Filler): number {
  if (typeof raw === 'number') return argoMsOf(raw);
  return filler.read(raw, path, (text) => readArgoDuration(text, bounds)) ?? 0;
}

function compileMinSamples(
  { minSamples, provider }: RawMetric,
  path: Path,
  filler: Filler,
): MinSamples | null {
  if (minSamples === undefined) return null;
  if (typeof minSamples === 'number') return { count: minSamples, query: null };
  const { count, query } = minSamples;
  if (query !== undefined && provider.prometheus === undefined) {
    const fix = 'remove it; the canary’s own requests are counted';
    filler.error([...path, 'query'], 'is for the prometheus provider only', fix, 'key');
  }
  return { count, query: query === undefined ? null : filler.text(query, [...path, 'query']) };
}

/** As Argo's own validation has them. */
function checkLimits(metric: MetricPlan, raw: RawMetric, path: Path, filler: Filler): void {
  const { count, failureLimit, consecutiveSuccessLimit, inconclusiveLimit } = metric;
  const place = (...keys: (keyof RawMetric)[]) => {
    const key = keys.find((one) => raw[one] !== undefined);
    return key === undefined ? path : [...path, key];
  };
  if (failureLimit === -1 && consecutiveSuccessLimit === 0) {
    const fix = 'set failureLimit to 0 or more, or consecutiveSuccessLimit to 1 or more';
    filler.error(place('failureLimit'), 'leaves the metric without any limit', fix, 'key');
  }
  if (count === null) return;
  if (count > 1 && metric.intervalMs === null) {
    filler.error(place('count'), 'needs an interval', 'add interval: with a duration such as 1m', 'key');
  }
  const least = Math.max(0, failureLimit) + consecutiveSuccessLimit;
  if (count < least) {
    const message = `is less than failureLimit and consecutiveSuccessLimit together (${least})`;
    filler.error(place('count'), message, `write ${least} or more, or lower the limits`);
  } else if (count < inconclusiveLimit) {
    const message = `is less than inconclusiveLimit (${inconclusiveLimit})`;
    filler.error(place('count'), message, `write ${inconclusiveLimit} or more, or lower the limit`);
  }
}
