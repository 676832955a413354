import type { Role, Traffic } from '../traffic.ts';
import { Unsupported } from './lex.ts';
import type { Matcher } from './parse.ts';

/** The gateway's metrics as a Prometheus that scrapes all the time would hold them. */

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** Equal for equal labels. */
export function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export interface Series {
  readonly labels: Labels;
  /** The counter's value at a moment of the play; null: the series was not there yet. */
  at(ms: number): number | null;
}

export interface Scraped {
  readonly app: string;
  /** Names of the two versions. */
  readonly versions: Readonly<Record<Role, string>>;
  readonly traffic: Traffic;
  readonly edgesMs: readonly number[];
  readonly compile: (source: string) => (text: string) => boolean;
  /** Told once of each label that the gateway does not write, or a play does not tell apart. */
  foreignLabel(label: string): void;
}

const OWN_LABELS = ['app', 'version', 'status', 'le'];

/** The series of a selector. Throws Unsupported for metrics that a play does not have. */
export function select(name: string, matchers: readonly Matcher[], world: Scraped): Series[] {
  const tests = matchers.flatMap((matcher) => {
    if (OWN_LABELS.includes(matcher.label)) return [testOf(matcher, world)];
    world.foreignLabel(matcher.label);
    return [];
  });
  return seriesOf(name, world).filter(({ labels }) => tests.every((test) => test(labels)));
}

function testOf({ label, op, value }: Matcher, { compile }: Scraped): (labels: Labels) => boolean {
  if (op === '=') return (labels) => (labels[label] ?? '') === value;
  if (op === '!=') return (labels) => (labels[label] ?? '') !== value;
  const matches = patternOf(value, compile);
  return (labels) => matches(labels[label] ?? '') === (op === '=~');
}

/** Prometheus' patterns match the whole value. */
function patternOf(source: string, compile: Scraped['compile']): (text: string) => boolean {
  try {
    return compile(`^(?:${source})$`);
  } catch {
    throw new Unsupported(`the pattern ${source} cannot be read`);
  }
}

function seriesOf(name: string, world: Scraped): Series[] {
  const each = (of: (role: Role, labels: Labels) => Series[]) =>
    (['canary', 'stable'] as const).flatMap((role) =>
      of(role, { app: world.app, version: world.versions[role] }),
    );
  const { traffic } = world;
  switch (name) {
    case 'http_requests_total':
      return each((role, labels) => requestSeries(traffic, role, labels));
    case 'http_request_duration_seconds_bucket':
      return each((role, labels) => bucketSeries(world, role, labels));
    case 'http_request_duration_seconds_count':
      return each((role, labels) => [{ labels, at: (ms) => traffic.at(role, ms).requests }]);
    case 'http_request_duration_seconds_sum':
      return each((role, labels) => [{ labels, at: (ms) => traffic.at(role, ms).sumMs / 1_000 }]);
    default:
      throw new Unsupported(`a play has no metric ${name}`);
  }
}

/** A status has no series before its first request. */
function requestSeries(traffic: Traffic, role: Role, labels: Labels): Series[] {
  const once = (count: number) => (count === 0 ? null : count);
  return [
    {
      labels: { ...labels, status: '200' },
      at: (ms) => {
        const { requests, errors } = traffic.at(role, ms);
        return once(requests - errors);
      },
    },
    { labels: { ...labels, status: '500' }, at: (ms) => once(traffic.at(role, ms).errors) },
  ];
}

function bucketSeries({ traffic, edgesMs }: Scraped, role: Role, labels: Labels): Series[] {
  const upTo = (last: number) => (ms: number) => {
    const { buckets } = traffic.at(role, ms);
    let total = 0;
    for (let i = 0; i <= last; i++) total += buckets[i] as number;
    return total;
  };
  return [...edgesMs.map((edgeMs) => leOf(edgeMs)), '+Inf'].map((le, i) => ({
    labels: { ...labels, le },
    at: upTo(i),
  }));
}

/** As the exposition writes it. */
function leOf(edgeMs: number): string {
  return String(Number((edgeMs / 1_000).toPrecision(15)));
}
