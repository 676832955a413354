import type { Provider } from '../../core/analysis/plan.ts';
import type { Outcome } from '../../core/analysis/state.ts';
import { type HttpAnswer, type HttpClient, headerRecord, isUnavailable, parseUrl, shownUrl } from './http.ts';

export type WebProvider = Extract<Provider, { readonly kind: 'web' }>;

/** Asks any HTTP server once, and takes a value out of its JSON. */
export async function askWeb(http: HttpClient, provider: WebProvider, signal: AbortSignal): Promise<Outcome> {
  const url = parseUrl(provider.url);
  if (url === null) return { kind: 'error', reason: 'url: it is no URL' };
  const { method, body, timeoutMs } = provider;
  const headers = headerRecord(provider.headers);
  if (body !== null && headers['content-type'] === undefined && parseJson(body) !== undefined) {
    headers['content-type'] = 'application/json';
  }
  return outcomeOf(await http.ask({ url, method, headers, body, timeoutMs }, signal), url, provider.jsonPath);
}

function outcomeOf(answer: HttpAnswer, url: URL, path: WebProvider['jsonPath']): Outcome {
  const where = `web at ${shownUrl(url)}`;
  if (answer.kind === 'unreachable') {
    return { kind: 'noData', reason: `${where} cannot be reached: ${answer.reason}` };
  }
  if (answer.kind === 'unusable') return { kind: 'error', reason: `${where}: ${answer.reason}` };
  const { status, body } = answer;
  if (isUnavailable(status)) {
    return { kind: 'noData', reason: `${where} cannot be reached: it answered ${status}` };
  }
  if (status < 200 || status > 299) return { kind: 'error', reason: `${where}: it answered ${status}` };
  const parsed = parseJson(body);
  // As Argo Rollouts: what is no JSON is judged as text, whatever the path.
  if (parsed === undefined) return { kind: 'value', value: body, samples: null };
  const found = follow(parsed, path);
  return found.ok
    ? { kind: 'value', value: found.value, samples: null }
    : { kind: 'error', reason: `${where}: jsonPath: ${found.reason}` };
}

/** Own members only; a negative index counts from the end. */
function follow(
  root: unknown,
  path: WebProvider['jsonPath'],
): { ok: true; value: unknown } | { ok: false; reason: string } {
  let value = root;
  let walked = '$';
  for (const step of path) {
    const next = memberOf(value, step);
    if (next === undefined) {
      return { ok: false, reason: `${walked} has no ${JSON.stringify(step)}` };
    }
    walked += typeof step === 'number' ? `[${step}]` : `.${step}`;
    value = next;
  }
  return { ok: true, value };
}

/** Undefined, which JSON does not have, where there is none. */
function memberOf(value: unknown, step: string | number): unknown {
  if (Array.isArray(value)) return typeof step === 'number' ? value.at(step) : undefined;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
  return (value as Record<string | number, unknown>)[step];
}

/** Undefined for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
