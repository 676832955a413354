import { collectDefaultMetrics, type OpenMetricsContentType, Registry } from 'prom-client';
import type { Split } from '../core/model.ts';
import type { ArmsLifetime } from './arms-lifetime.ts';
import { headOf, histogramLines, sampleLines } from './format.ts';
import { type HistogramKey, METRICS, type MetricKey, type MetricSpec } from './names.ts';
import type { Recorder } from './recorder.ts';
import {
  DISTRIBUTIONS,
  type FeedbackReading,
  type GateReading,
  type RolloutReading,
  SAMPLES,
  type Snapshot,
  type StreamsReading,
  type TracingReading,
  takeSnapshot,
  type VerdictReading,
} from './samples.ts';

/** Renders /metrics; the numbers are read from the tallies when a scrape asks for them. */
export interface Exposition {
  contentType(openMetrics: boolean): string;
  render(openMetrics: boolean): Promise<string>;
}

export interface ExpositionSources {
  readonly recorder: Pick<Recorder, 'lifetime' | 'refused'>;
  split(): Split;
  reloads(): Snapshot['reloads'];
  /** One item a service with a rollout; left out: there are none. */
  rollouts?(): readonly RolloutReading[];
  /** Of these services, one item a gate that was judged; left out: there are none. */
  gates?(services: ReadonlySet<string>): readonly GateReading[];
  /** Of these services, one item a service with gates that was judged; left out: there are none. */
  verdicts?(services: ReadonlySet<string>): readonly VerdictReading[];
  /** What answers said; left out: none is read. */
  readonly answers?: Pick<ArmsLifetime, 'arms' | 'pairs'>;
  /** Left out: none is taken. */
  feedback?(): FeedbackReading;
  /** Left out or null: nothing was ever traced. */
  tracing?(): TracingReading | null;
  /** Left out: there are none. */
  streams?(): StreamsReading;
}

/**
 * Services rendered in one turn of the event loop. The data path lives in the same
 * thread: between turns it serves its requests. A turn takes a few milliseconds.
 */
const SERVICES_A_TURN = 10;

const KEYS = Object.keys(METRICS) as MetricKey[];

/** Metrics with one sample or one list for the whole process, told once and not with each turn's services. */
const OF_PROCESS: ReadonlySet<MetricKey> = new Set<MetricKey>([
  'refused',
  'rolloutInfo',
  'rollouts',
  'kpi',
  'feedbackRefused',
  'feedbackForgotten',
  'reloads',
  'reloadFailures',
  'traceSpans',
  'traces',
  'eventStreams',
  'eventStreamsDropped',
]);

export function createExposition(sources: ExpositionSources): Exposition {
  const text = processRegistry();
  const open = openMetricsOf(text);
  /** Renders that wait for their turn, by format. Who asks meanwhile shares it, so that any number of scrapers costs no more than two. */
  const waiting = new Map<boolean, Promise<string>>();
  let last: Promise<unknown> = Promise.resolve();
  return {
    contentType: (openMetrics) => (openMetrics ? open : text).contentType,
    render(openMetrics) {
      const shared = waiting.get(openMetrics);
      if (shared !== undefined) return shared;
      const next = last.then(() => {
        waiting.delete(openMetrics);
        return renderAll(sources, openMetrics, openMetrics ? open : text);
      });
      waiting.set(openMetrics, next);
      last = next.catch(() => undefined);
      return next;
    },
  };
}

/** Every number of one service is of the same moment; services are a few turns apart. */
async function renderAll(
  sources: ExpositionSources,
  openMetrics: boolean,
  ofProcess: Pick<Registry, 'metrics'>,
): Promise<string> {
  const split = sources.split();
  const blocks = KEYS.map((key) => [headOf(METRICS[key], openMetrics)]);
  for (let from = 0; from === 0 || from < split.services.length; from += SERVICES_A_TURN) {
    if (from > 0) await nextTurn();
    const services = split.services.slice(from, from + SERVICES_A_TURN);
    const snapshot = snapshotOf(sources, { ...split, services }, from === 0);
    KEYS.forEach((key, i) => {
      if (from === 0 || !OF_PROCESS.has(key)) addLines(blocks[i] as string[], key, snapshot);
    });
  }
  const gap = openMetrics ? '\n' : '\n\n';
  let body = '';
  // A string that is only put together is copied once, when it is sent.
  for (const lines of blocks) body += lines.join('\n') + gap;
  await nextTurn();
  return body + (await ofProcess.metrics());
}

/** Of some services; with the first of them what the process has as a whole. */
function snapshotOf(sources: ExpositionSources, split: Split, isFirst: boolean): Snapshot {
  const names = new Set(split.services.map(({ name }) => name));
  return takeSnapshot({
    split,
    tallies: sources.recorder.lifetime(names),
    reloads: sources.reloads(),
    rollouts: (isFirst ? sources.rollouts?.() : null) ?? [],
    gates: sources.gates?.(names) ?? [],
    verdicts: sources.verdicts?.(names) ?? [],
    refused: sources.recorder.refused(),
    arms: sources.answers?.arms(names) ?? [],
    pairs: sources.answers?.pairs(names) ?? [],
    feedback: (isFirst ? sources.feedback?.() : null) ?? { kpis: [], refused: {}, forgotten: {} },
    tracing: sources.tracing?.() ?? null,
    streams: sources.streams?.() ?? { open: 0, dropped: 0 },
  });
}

function addLines(into: string[], key: MetricKey, snapshot: Snapshot): void {
  const spec: MetricSpec = METRICS[key];
  if (isHistogram(key)) {
    for (const each of DISTRIBUTIONS[key](snapshot)) into.push(histogramLines(spec.name, each));
    return;
  }
  const samples = SAMPLES[key](snapshot);
  if (samples.length > 0) into.push(sampleLines(spec, samples));
}

function isHistogram(key: MetricKey): key is HistogramKey {
  return key in DISTRIBUTIONS;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * The process's own metrics for OpenMetrics. To print it prom-client takes `_total` off
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
