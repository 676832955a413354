import type { Provider, QueryRange } from '../../core/analysis/plan.ts';
import type { Outcome } from '../../core/analysis/state.ts';
import { type HttpAnswer, type HttpClient, headerRecord, isUnavailable, parseUrl, shownUrl } from './http.ts';
import { type QueryResult, refusalOf, resultOfAnswer } from './prometheus-answer.ts';
import { readToken } from './token.ts';

export type PrometheusProvider = Extract<Provider, { readonly kind: 'prometheus' }>;

/** Asks a Prometheus once; `wallMs` is now, for a range. */
export async function queryPrometheus(
  http: HttpClient,
  provider: PrometheusProvider,
  wallMs: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const result = await query(http, provider, wallMs, signal);
  // Whether an empty list is no data or a value for the conditions is the judge's to say.
  return result.kind === 'empty' ? { kind: 'value', value: [], samples: null } : result;
}

/** How many samples `minSamples.query` tells of; an empty answer tells of none. */
export async function querySamples(
  http: HttpClient,
  provider: PrometheusProvider,
  samplesQuery: string,
  wallMs: number,
  signal: AbortSignal,
): Promise<number | Exclude<Outcome, { readonly kind: 'value' }>> {
  const result = await query(http, { ...provider, query: samplesQuery, range: null }, wallMs, signal);
  if (result.kind === 'empty') return 0;
  if (result.kind !== 'value') return { ...result, reason: `minSamples.query: ${result.reason}` };
  const first: unknown = Array.isArray(result.value) ? result.value[0] : result.value;
  // increase() extrapolates, so that a count of requests may come as 99.98.
  return typeof first === 'number' && !Number.isNaN(first) ? Math.round(first) : 0;
}

async function query(
  http: HttpClient,
  provider: PrometheusProvider,
  wallMs: number,
  signal: AbortSignal,
): Promise<QueryResult> {
  const base = parseUrl(provider.address);
  if (base === null) return { kind: 'error', reason: 'address: it is no URL' };
  const headers = headerRecord(provider.headers);
  if (provider.bearerTokenFile !== null) {
    const read = await readToken(provider.bearerTokenFile);
    if (!read.ok) return { kind: 'error', reason: read.reason };
    headers.authorization = `Bearer ${read.token}`;
  }
  const form = formOf(provider, wallMs);
  return resultOf(await send(http, endpointOf(base, provider.range), headers, form, provider, signal), base);
}

/** By POST, and by GET where POST is refused (405, 501: read-only proxies), as Prometheus' own client does. */
async function send(
  http: HttpClient,
  url: URL,
  headers: Readonly<Record<string, string>>,
  form: URLSearchParams,
  { timeoutMs }: PrometheusProvider,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const typed = { ...headers, 'content-type': 'application/x-www-form-urlencoded' };
  const posted = await http.ask(
    { url, method: 'POST', headers: typed, body: form.toString(), timeoutMs },
    signal,
  );
  if (posted.kind !== 'answered' || (posted.status !== 405 && posted.status !== 501)) return posted;
  const withQuery = new URL(url);
  for (const [name, value] of form) withQuery.searchParams.set(name, value);
  return http.ask({ url: withQuery, method: 'GET', headers, body: null, timeoutMs }, signal);
}

function endpointOf(base: URL, range: QueryRange | null): URL {
  const url = new URL(base);
  url.pathname = `${base.pathname.replace(/\/+$/, '')}/api/v1/${range === null ? 'query' : 'query_range'}`;
  url.hash = '';
  return url;
}

/** An instant query leaves the time to Prometheus, whose clock stamped the samples. */
function formOf({ query: text, range, timeoutMs }: PrometheusProvider, wallMs: number): URLSearchParams {
  const form = new URLSearchParams({ query: text, timeout: `${Math.ceil(timeoutMs)}ms` });
  if (range !== null) {
    form.set('start', seconds(wallMs - range.startBeforeMs));
    form.set('end', seconds(wallMs - range.endBeforeMs));
    form.set('step', seconds(range.stepMs));
  }
  return form;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function resultOf(answer: HttpAnswer, base: URL): QueryResult {
  const where = `prometheus at ${shownUrl(base)}`;
  if (answer.kind === 'unreachable') {
    return { kind: 'noData', reason: `${where} cannot be reached: ${answer.reason}` };
  }
  if (answer.kind === 'unusable') return { kind: 'error', reason: `${where}: ${answer.reason}` };
  const { status, body } = answer;
  if (status >= 200 && status < 300) {
    const result = resultOfAnswer(body);
    return result.kind === 'error' ? { kind: 'error', reason: `${where}: ${result.reason}` } : result;
  }
  const told = refusalOf(body);
  const why = `it answered ${status}${told === '' ? '' : `, ${told}`}`;
  return isUnavailable(status)
    ? { kind: 'noData', reason: `${where} cannot be reached: ${why}` }
    : { kind: 'error', reason: `${where}: ${why}` };
}
