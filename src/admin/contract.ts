import type {
  ComingStep,
  DescribedRequest,
  ExperimentTimelineView,
  ExperimentView,
  Explanation,
  FeedbackSummary,
  GateView,
  HistoryView,
  ReloadFailure,
  ReloadState,
  RolloutView,
  ServiceDetail,
  ServiceSummary,
  TimelineView,
  VerdictView,
  WeightSet,
} from '../control/api.ts';

/** What goes over the wire of the admin API, for those who serve it and those who call it. */

export type {
  AnalysisView,
  ComingStep,
  EstimateView,
  EvidenceView,
  ExperimentView,
  Explanation,
  GateView,
  HistoryView,
  LiveEvent,
  MetricView,
  OverviewService,
  OverviewVersion,
  OverviewView,
  ReloadFailure,
  RolloutPhase,
  RolloutSummary,
  RolloutView,
  ServiceDetail,
  ServiceSummary,
  TimelinePoint,
  TimelineVersion,
  VariantView,
  VerdictView,
  VersionDetail,
  VersionSummary,
  VersionTraffic,
} from '../control/api.ts';

export const API = '/api/v1';

/** Every answer that is not 2xx. `error` is stable and for programs, `message` says what to do. */
export interface ErrorBody {
  readonly error: string;
  readonly message: string;
}

export interface ServicesBody {
  readonly revision: number;
  readonly services: readonly ServiceSummary[];
}

export type ServiceBody = ServiceDetail;

/** Oldest first; empty where `shadow.keep` is 0. */
export interface DisagreementsBody {
  readonly service: string;
  readonly disagreements: readonly {
    readonly at: string;
    readonly requestId: string;
    readonly clientVersion: string;
    readonly shadowVersion: string;
    readonly client: unknown;
    readonly shadow: unknown;
  }[];
}

export interface SetWeightBody {
  /** Percent, two decimals. */
  readonly weight: number;
  /** Needed only where a service has several canaries. */
  readonly version?: string;
  /** Who asks, for the history of a rollout; 100 characters at most. */
  readonly actor?: string;
}

export interface WeightSetBody extends WeightSet {
  readonly note: string;
}

export interface RolloutsBody {
  readonly revision: number;
  readonly rollouts: readonly RolloutView[];
}

export type RolloutBody = RolloutView;

export interface HistoryBody {
  readonly service: string;
  /** Newest last. */
  readonly history: readonly HistoryView[];
}

/** What the gates say. */
export interface VerdictBody {
  readonly service: string;
  /** Of the rollout that is judged. */
  readonly number: number;
  /** Null: there are no gates, or nothing was judged yet. */
  readonly verdict: VerdictView | null;
  readonly gates: readonly GateView[];
}

/** What `POST rollouts/NAME/VERB` takes for a verb. */
export const ROLLOUT_VERBS = ['start', 'promote', 'pause', 'resume', 'abort', 'retry', 'undo'] as const;
export type RolloutVerb = (typeof ROLLOUT_VERBS)[number];

/** An empty body is one without any of these. */
export interface RolloutCommandBody {
  /** `promote` only: skip the steps and analyses that are left. */
  readonly full?: boolean;
  /** `abort` only; 500 characters at most. */
  readonly reason?: string;
  /** Who asks, for the history; 100 characters at most. */
  readonly actor?: string;
}

export interface ExperimentsBody {
  readonly revision: number;
  readonly experiments: readonly ExperimentView[];
}

export type ExperimentBody = ExperimentView;

/** `GET experiments/NAME/timeline`. */
export type ExperimentTimelineBody = ExperimentTimelineView;

/** The steps of `GET services/NAME/timeline?step=`. */
export const TIMELINE_STEPS = ['1s', '15s'] as const;
export type TimelineStep = (typeof TIMELINE_STEPS)[number];
export type TimelineBody = TimelineView;

/** `coming`: the steps ahead of a rollout under way that change who gets what; empty without one. */
export interface ExplainBody extends Explanation {
  readonly coming: readonly ComingStep[];
}

/** What `POST feedback` takes: one of these, or a list of them. `value` above 0 is an event. */
export type FeedbackBody = { readonly kpi: string; readonly value: number } & (
  | { readonly id: string }
  | { readonly service: string; readonly key: string }
);

/** How many at a time. */
export const MAX_FEEDBACK_ITEMS = 10_000;

export type FeedbackSummaryBody = FeedbackSummary;

/** `/readyz` without access shows `status` alone. */
export interface ReadyBody {
  readonly status: 'starting' | 'ready' | 'draining';
  readonly revision?: number;
  readonly reload?: Omit<ReloadState, 'failure'> & {
    readonly failure: (Omit<ReloadFailure, 'atMs'> & { readonly at: string }) | null;
  };
  readonly services?: readonly {
    readonly name: string;
    readonly versions: readonly { readonly name: string; readonly healthy: number; readonly total: number }[];
  }[];
}

/** A described request, or what is wrong with its description. */
export type ParsedDescription =
  | { readonly ok: true; readonly request: DescribedRequest }
  | { readonly ok: false; readonly message: string };

const SINGLE = ['key', 'method', 'path', 'ip', 'region'] as const;
const REPEATED = ['header', 'cookie'] as const;
const KNOWN: readonly string[] = [...SINGLE, ...REPEATED];
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * The question of `explain`, as its query string and its command line say it:
 * `key`, `method`, `path` (with its query), `ip`, `region` once at most; `header=name: value`
 * and `cookie=name=value` as often as wanted.
 */
export function describeRequest(params: URLSearchParams): ParsedDescription {
  const fault = firstFault(params);
  if (fault !== null) return { ok: false, message: fault };
  const headers = new Map<string, string>();
  const cookies = new Map<string, string>();
  for (const text of params.getAll('header')) {
    const pair = splitPair(text, ':');
    if (pair === null)
      return { ok: false, message: `header must be "name: value", not ${JSON.stringify(text)}` };
    headers.set(pair[0].toLowerCase(), pair[1]);
  }
  const jar = [...(headers.get('cookie')?.split(';') ?? []), ...params.getAll('cookie')];
  for (const text of jar) {
    const pair = splitPair(text.trim(), '=');
    if (pair === null)
      return { ok: false, message: `cookie must be "name=value", not ${JSON.stringify(text)}` };
    if (!cookies.has(pair[0])) cookies.set(pair[0], pair[1]);
  }
  const path = params.get('path');
  const mark = path?.indexOf('?') ?? -1;
  const request: DescribedRequest = {
    key: params.get('key'),
    headers,
    cookies,
    query: firstValues(mark < 0 ? '' : (path as string).slice(mark + 1)),
    method: (params.get('method') ?? 'GET').toUpperCase(),
    path: mark < 0 ? path : (path as string).slice(0, mark),
    ip: params.has('ip') ? addressKey(params.get('ip') as string) : null,
    region: params.get('region'),
  };
  return { ok: true, request };
}

function firstFault(params: URLSearchParams): string | null {
  for (const name of params.keys()) {
    if (!KNOWN.includes(name)) return `unknown parameter ${JSON.stringify(name)}; known: ${KNOWN.join(', ')}`;
  }
  for (const name of SINGLE) {
    if (params.getAll(name).length > 1) return `${name} may be given once only`;
  }
  const method = params.get('method');
  if (method !== null && !TOKEN.test(method))
    return `method must be a word such as POST, not ${JSON.stringify(method)}`;
  const path = params.get('path');
  if (path !== null && !path.startsWith('/')) return `path must start with /, not ${JSON.stringify(path)}`;
  const ip = params.get('ip');
  if (ip !== null && addressKey(ip) === null)
    return `ip must be an IPv4 or IPv6 address, not ${JSON.stringify(ip)}`;
  return null;
}

function splitPair(text: string, separator: string): [string, string] | null {
  const at = text.indexOf(separator);
  if (at < 1) return null;
  const name = text.slice(0, at).trim();
  return TOKEN.test(name) ? [name, text.slice(at + 1).trim()] : null;
}

function firstValues(query: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) if (!values.has(name)) values.set(name, value);
  return values;
}

/**
 * An address as the split keys it: IPv4 as it is, IPv6 as its /64 in the form of
 * RFC 5952. URL's own parser does the reading and the shortening. Null: no address.
 */
export function addressKey(address: string): string | null {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) return hostnameOf(address);
  const host = hostnameOf(`[${address.replace(/^::ffff:(?=\d+\.)/i, '')}]`);
  if (host === null) return /^::ffff:\d+\./i.test(address) ? addressKey(address.slice(7)) : null;
  const groups = expand(host.slice(1, -1)).slice(0, 4);
  return `${(hostnameOf(`[${groups.join(':')}::]`) as string).slice(1, -1)}/64`;
}

function hostnameOf(host: string): string | null {
  try {
    return new URL(`http://${host}/`).hostname;
  } catch {
    return null;
  }
}

/** The eight groups of a shortened IPv6 address. */
function expand(address: string): string[] {
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  if (tail === undefined) return left;
  const right = tail === '' ? [] : tail.split(':');
  return [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
}
