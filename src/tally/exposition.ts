import {
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type OpenMetricsContentType,
  Registry,
} from 'prom-client';
import { assertNever, type Split } from '../core/model.ts';
import type { ArmsLifetime } from './arms-lifetime.ts';
import { type HistogramKey, METRICS, type MetricKey, type MetricSpec } from './names.ts';
import type { Recorder } from './recorder.ts';
import {
  DISTRIBUTIONS,
  type Distribution,
  type FeedbackReading,
  type GateReading,
  type Labels,
  type RolloutReading,
  SAMPLES,
  type Snapshot,
  type StreamsReading,
  takeSnapshot,
} from './samples.ts';

/** Renders /metrics; the numbers are read from the tallies when a scrape asks for them. */
export interface Exposition {
  contentType(openMetrics: boolean): string;
  render(openMetrics: boolean): Promise<string>;
}

export interface ExpositionSources {
  readonly recorder: Pick<Recorder, 'lifetime'>;
  split(): Split;
  reloads(): Snapshot['reloads'];
  /** One item a service with a rollout; left out: there are none. */
  rollouts?(): readonly RolloutReading[];
  /** One item a gate that was judged; left out: there are none. */
  gates?(): readonly GateReading[];
  /** What answers said; left out: none is read. */
  readonly answers?: Pick<ArmsLifetime, 'arms' | 'pairs'>;
  /** Left out: none is taken. */
  feedback?(): FeedbackReading;
  /** Left out: there are none. */
  streams?(): StreamsReading;
}

export function createExposition(sources: ExpositionSources): Exposition {
  // Each `metrics()` below collects every metric before it first awaits, so a scrape reads the
  // one snapshot taken just before it, also when two scrapes overlap.
  let snapshot = NOTHING;
  const own = new Registry();
  for (const key of Object.keys(METRICS) as MetricKey[]) register(own, key, () => snapshot);
  const text = Registry.merge([own, processRegistry()]);
  const open = openMetricsOf(text);
  return {
    contentType: (openMetrics) => (openMetrics ? open : text).contentType,
    async render(openMetrics) {
      snapshot = takeSnapshot({
        split: sources.split(),
        tallies: sources.recorder.lifetime(),
        reloads: sources.reloads(),
        rollouts: sources.rollouts?.() ?? [],
        gates: sources.gates?.() ?? [],
        arms: sources.answers?.arms() ?? [],
        pairs: sources.answers?.pairs() ?? [],
        feedback: sources.feedback?.() ?? NOTHING.feedback,
        streams: sources.streams?.() ?? NOTHING.streams,
      });
      return (openMetrics ? open : text).metrics();
    },
  };
}

const NOTHING: Snapshot = {
  series: [],
  reloads: { ok: 0, failed: 0 },
  rollouts: [],
  gates: [],
  pairs: [],
  feedback: { kpis: [], refused: {} },
  streams: { open: 0, dropped: 0 },
};

function register(registry: Registry, key: MetricKey, snapshot: () => Snapshot): void {
  const { name, kind, labels, help }: MetricSpec = METRICS[key];
  const config = { name, help, labelNames: labels, registers: [registry] };
  if (isHistogram(key)) {
    new TallyHistogram(config, () => DISTRIBUTIONS[key](snapshot()));
    return;
  }
  const read = SAMPLES[key];
  switch (kind) {
    case 'counter':
      new Counter({
        ...config,
        collect() {
          this.reset();
          for (const { labels, value } of read(snapshot())) this.inc(labels, value);
        },
      });
      return;
    case 'gauge':
      new Gauge({
        ...config,
        collect() {
          this.reset();
          for (const { labels, value } of read(snapshot())) this.set(labels, value);
        },
      });
      return;
    case 'histogram':
      throw new Error(`${name} has no distribution`);
    default:
      assertNever(kind);
  }
}

function isHistogram(key: MetricKey): key is HistogramKey {
  return key in DISTRIBUTIONS;
}

interface BucketValue {
  labels: Record<string, string | number>;
  /** The labels that all lines of one histogram share; prom-client formats them once. */
  sharedLabels: Labels;
  value: number;
  metricName: string;
}

/**
 * prom-client's histogram has one set of buckets and takes single observations;
 * ours are counted already, and the bounds differ by service. So the values it
 * prints are made here: `getForPromString` is what its registry and its own
 * `get()` read them from.
 */
class TallyHistogram extends Histogram {
  // Not #private: the OpenMetrics view below inherits from the instance.
  private readonly values: () => BucketValue[];
  private readonly head: { name: string; help: string; type: 'histogram'; aggregator: 'sum' };

  constructor(
    config: { name: string; help: string; labelNames: readonly string[]; registers: Registry[] },
    read: () => Distribution[],
  ) {
    super(config);
    this.head = { name: config.name, help: config.help, type: 'histogram', aggregator: 'sum' };
    this.values = () => read().flatMap((distribution) => bucketValues(config.name, distribution));
  }

  async getForPromString(): Promise<TallyHistogram['head'] & { values: BucketValue[] }> {
    return { ...this.head, values: this.values() };
  }
}

function bucketValues(name: string, { labels, edges, counts, sum }: Distribution): BucketValue[] {
  const values: BucketValue[] = [];
  let total = 0;
  const add = (suffix: string, own: BucketValue['labels'], value: number) =>
    values.push({ metricName: name + suffix, sharedLabels: labels, labels: own, value });
  for (let i = 0; i < edges.length; i++) {
    total += counts[i] as number;
    add('_bucket', { le: edges[i] as number }, total);
  }
  total += counts[edges.length] as number;
  add('_bucket', { le: '+Inf' }, total);
  add('_sum', {}, sum);
  add('_count', {}, total);
  return values;
}

/**
 * The same metrics for OpenMetrics. To print it prom-client takes `_total` off
 * the name of the very metric it was given, which would spoil the other format;
 * so it gets an object of its own that inherits everything else.
 */
function openMetricsOf(text: Registry): Registry<OpenMetricsContentType> {
  const open = new Registry<OpenMetricsContentType>();
  open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const metric of text.getMetricsAsArray()) open.registerMetric(Object.create(metric));
  return open;
}

let ofProcess: Registry | null = null;

/** The process's own metrics, collected once however many expositions there are: their observers cannot be stopped. */
function processRegistry(): Registry {
  if (ofProcess !== null) return ofProcess;
  ofProcess = new Registry();
  collectDefaultMetrics({ register: ofProcess });
  for (const name of MISNAMED) ofProcess.removeSingleMetric(name);
  return ofProcess;
}

/** Gauges named like counters, which OpenMetrics forbids; each is the sum of one that stays. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];
