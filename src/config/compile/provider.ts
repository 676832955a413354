import type { Provider } from '../../core/analysis/plan.ts';
import { DEFAULTS } from '../defaults.ts';
import { readJsonPath } from '../forms/json-path.ts';
import { readQueryStep, readQueryTime } from '../forms/query-time.ts';
import { taken } from '../forms/reading.ts';
import { readHttpUrl } from '../forms/texts.ts';
import type { Path } from '../issue.ts';
import { argoMsOf, msOf } from '../quantity.ts';
import type { RawProvider } from '../schema.ts';
import type { Filler } from './filler.ts';

type RawPrometheus = NonNullable<RawProvider['prometheus']>;
type RawWeb = NonNullable<RawProvider['web']>;
type RawCoalmine = NonNullable<RawProvider['coalmine']>;
/** Turns a file's name in the config into one that can be opened. */
export type ResolveFile = (file: string) => string;

const base = DEFAULTS.metric.provider;
/** Samples of one range query; Prometheus itself refuses more than 11,000. */
const MAX_SAMPLES = 11_000;

export function compileProvider(
  raw: RawProvider,
  path: Path,
  filler: Filler,
  resolveFile: ResolveFile,
): Provider {
  if (raw.prometheus !== undefined) {
    return compilePrometheus(raw.prometheus, [...path, 'prometheus'], filler, resolveFile);
  }
  if (raw.web !== undefined) return compileWeb(raw.web, [...path, 'web'], filler);
  return compileCoalmine(raw.coalmine as RawCoalmine, [...path, 'coalmine'], filler);
}

function compilePrometheus(
  raw: RawPrometheus,
  path: Path,
  filler: Filler,
  resolveFile: ResolveFile,
): Provider {
  const { bearerTokenFile, rangeQuery } = raw;
  return {
    kind: 'prometheus',
    address: filler.read(raw.address, [...path, 'address'], readHttpUrl) ?? '',
    query: filler.text(raw.query, [...path, 'query']),
    headers: filler.headers(raw.headers, [...path, 'headers']),
    bearerTokenFile: bearerTokenFile === undefined ? null : resolveFile(bearerTokenFile),
    timeoutMs: argoMsOf(raw.timeout ?? base.prometheus.timeout),
    range: rangeQuery === undefined ? null : compileRange(rangeQuery, [...path, 'rangeQuery'], filler),
  };
}

function compileRange(raw: NonNullable<RawPrometheus['rangeQuery']>, path: Path, filler: Filler) {
  const start = filler.read(raw.start, [...path, 'start'], readQueryTime);
  const end = filler.read(raw.end, [...path, 'end'], readQueryTime);
  const step = filler.read(raw.step, [...path, 'step'], readQueryStep);
  if (start !== null && end !== null && step !== null) {
    if (start <= end) filler.error([...path, 'start'], 'is not before the end', 'begin earlier');
    else if ((start - end) / step > MAX_SAMPLES) {
      filler.error([...path, 'step'], `makes more than ${MAX_SAMPLES} samples`, 'write a longer step');
    }
  }
  return { startBeforeMs: start ?? 0, endBeforeMs: end ?? 0, stepMs: step ?? 1_000 };
}

function compileWeb(raw: RawWeb, path: Path, filler: Filler): Provider {
  const method = raw.method ?? base.web.method;
  const given = raw.body !== undefined ? 'body' : raw.jsonBody !== undefined ? 'jsonBody' : null;
  if (raw.body !== undefined && raw.jsonBody !== undefined) {
    filler.error([...path, 'jsonBody'], 'stands beside `body`', 'keep one of the two', 'key');
  }
  if (given !== null && method === 'GET') {
    filler.error([...path, given], 'cannot be sent with GET', 'add method: POST', 'key');
  }
  const headers = filler.headers(raw.headers, [...path, 'headers']);
  const typed = headers.some(({ name }) => name === 'content-type');
  if (raw.jsonBody !== undefined && !typed) headers.push({ name: 'content-type', value: 'application/json' });
  return {
    kind: 'web',
    url: filler.read(raw.url, [...path, 'url'], readHttpUrl) ?? '',
    method,
    headers,
    body: compileBody(raw, path, filler),
    jsonPath: taken(readJsonPath(raw.jsonPath ?? base.web.jsonPath)),
    timeoutMs: (raw.timeoutSeconds ?? base.web.timeoutSeconds) * 1_000,
  };
}

function compileBody(raw: RawWeb, path: Path, filler: Filler): string | null {
  if (raw.body !== undefined) return filler.text(raw.body, [...path, 'body']);
  if (raw.jsonBody === undefined) return null;
  return JSON.stringify(filledJson(raw.jsonBody, [...path, 'jsonBody'], filler));
}

/** Arguments go into its texts, so that no value can change its structure. */
function filledJson(value: unknown, path: Path, filler: Filler): unknown {
  if (typeof value === 'string') return filler.text(value, path);
  if (Array.isArray(value)) return value.map((item, i) => filledJson(item, [...path, i], filler));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, filledJson(item, [...path, key], filler)]),
  );
}

function compileCoalmine(raw: RawCoalmine, path: Path, filler: Filler): Provider {
  const of = raw.of ?? base.coalmine.of;
  if (raw.quantile !== undefined && raw.measure !== 'latency') {
    const fix = 'remove it, or write measure: latency';
    filler.error([...path, 'quantile'], 'is for measure: latency only', fix, 'key');
  }
  if (raw.relative !== undefined && of === 'stable') {
    filler.error([...path, 'relative'], 'compares stable with itself', 'remove it, or of: stable', 'key');
  }
  return {
    kind: 'coalmine',
    read: {
      measure: raw.measure,
      quantile: raw.quantile ?? base.coalmine.quantile,
      of,
      relative: raw.relative ?? null,
      windowMs: msOf(raw.window ?? base.coalmine.window),
    },
  };
}
