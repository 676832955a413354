import type { Judged } from '../../src/core/arms.ts';
import {
  ASSIGN_REASONS,
  type AssignReason,
  MIRROR_OUTCOMES,
  type MirrorOutcome,
} from '../../src/core/model.ts';
import { methodIndex, methodOfKey, statusOfKey, type Tally } from '../../src/core/tally.ts';
import { beginRequest, endRequest } from '../../src/tally/recorder.ts';
import { type ServiceOptions, service, version } from '../support/split.ts';

export const EDGES = [1, 10, 100, 1_000];

/** A service with these versions; the first is stable. */
export function serviceOf(name: string, versions: readonly string[], options: ServiceOptions = {}) {
  const made = versions.map((each) => version(each, 'http://127.0.0.1:1'));
  return service(made, { name, latencyEdgesMs: EDGES, ...options });
}

/** Answers are read and compared; the canary is the second version. */
export function judgedOf(changes: Partial<Judged> = {}): Judged {
  const observe: Judged['observe'] = {
    format: 'json',
    class: ['class'],
    confidence: ['confidence'],
    score: null,
    scoreRange: [0, 1],
    labels: [],
    share: 1,
    maxPerSecond: 1_000,
    maxBytes: 1_000,
    cpuShare: 1,
    pairs: { by: 'class', tolerance: 0, ignore: [], keep: 0, redact: [] },
  };
  return { rule: -1, canary: 1, slow: [], unsure: [], observe, predictionSecret: null, ...changes };
}

export const reason = (name: AssignReason) => ASSIGN_REASONS.indexOf(name);
export const outcome = (name: MirrorOutcome) => MIRROR_OUTCOMES.indexOf(name);

export interface FakeRequest {
  readonly method?: string;
  readonly status?: number;
  readonly durationMs?: number;
  readonly ttfbMs?: number;
  readonly reason?: AssignReason;
}

/** One request from assignment to its end. */
export function request(tally: Tally, options: FakeRequest = {}): void {
  const { method = 'GET', status = 200, durationMs = 5, ttfbMs = durationMs } = options;
  beginRequest(tally, reason(options.reason ?? 'hash'));
  endRequest(tally, methodIndex(method), status, durationMs, ttfbMs);
}

/** What was counted, by name: slots may lie elsewhere in a tally that says the same. */
export function requestsOf(tally: Tally): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [slot, count] of tally.requests.entries()) {
    const key = tally.slotKeys[slot] as number;
    if (count > 0) counts[`${methodOfKey(key)} ${statusOfKey(key)}`] = count;
  }
  return counts;
}

export interface Exposed {
  /** By the name in the TYPE line. */
  readonly types: ReadonlyMap<string, string>;
  readonly helps: ReadonlyMap<string, string>;
  /** By `name{label="value",…}` with the labels sorted. */
  readonly samples: ReadonlyMap<string, number>;
}

/**
 * Reads an exposition by the grammar of the text format, not by prom-client.
 * Throws on a line it cannot read, on a series told twice, and on samples
 * outside the block of their family.
 */
export function parseExposition(text: string): Exposed {
  const types = new Map<string, string>();
  const helps = new Map<string, string>();
  const samples = new Map<string, number>();
  let family = '';
  for (const line of text.split('\n')) {
    if (line === '' || line === '# EOF') continue;
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment !== null) {
      const [, what, name, rest] = comment as unknown as [string, string, string, string];
      const into = what === 'HELP' ? helps : types;
      if (into.has(name)) throw new Error(`${what} of ${name} is told twice`);
      into.set(name, rest);
      family = name;
      continue;
    }
    const { series, name, value } = parseSample(line);
    if (!name.startsWith(family)) throw new Error(`${name} stands among ${family}`);
    if (samples.has(series)) throw new Error(`${series} is told twice`);
    samples.set(series, value);
  }
  return { types, helps, samples };
}

function parseSample(line: string): { series: string; name: string; value: number } {
  const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (found === null) throw new Error(`cannot read ${line}`);
  const [, name = '', labels = '', value = ''] = found;
  const pairs: string[] = [];
  let rest = labels;
  while (rest !== '') {
    const pair = /^([a-zA-Z_]\w*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/.exec(rest);
    if (pair === null) throw new Error(`cannot read the labels of ${line}`);
    pairs.push(`${pair[1]}="${pair[2]}"`);
    rest = rest.slice(pair[0].length);
  }
  const series = pairs.length === 0 ? name : `${name}{${pairs.toSorted().join(',')}}`;
  return { series, name, value: numberOf(value) };
}

function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(text)) return Number.NaN;
  const value = Number(text);
  if (text === '' || Number.isNaN(value)) throw new Error(`not a number: ${text}`);
  return value;
}

/** The series whose name begins so, as a plain object. */
export function startingWith(exposed: Exposed, prefix: string): Record<string, number> {
  return Object.fromEntries([...exposed.samples].filter(([series]) => series.startsWith(prefix)));
}
