import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { beginningOf } from '../beginning.ts';
import type { Header } from '../core/analysis/plan.ts';
import { assertNever } from '../core/model.ts';
import type { Random } from '../ports.ts';

/** POSTs to other people's servers: bounded in time and size, and silent about credentials. */

export interface Post {
  /** A user and password in it become basic authorization. */
  readonly url: string;
  readonly contentType: string;
  readonly body: string;
  /** Stand above what is sent by default. */
  readonly headers: readonly Header[];
  /** For one attempt, to the end of the answer's body. */
  readonly timeoutMs: number;
}

export type Posted =
  /** `excerpt`: how the body begins, on one line, without what was secret in the request. */
  | { readonly kind: 'answered'; readonly status: number; readonly excerpt: string }
  | { readonly kind: 'timeout' }
  /** No answer; `reason` is a code such as ECONNREFUSED. */
  | { readonly kind: 'unreachable'; readonly reason: string }
  /** Nothing could be sent at all, whatever the other side; another attempt would end alike. */
  | { readonly kind: 'unsendable'; readonly reason: string }
  | { readonly kind: 'cancelled' };

export interface Retrying {
  /** Further attempts after the first. */
  readonly retries: number;
  /** Before the first of them; doubled for each one more, up to `maxDelayMs`, and shortened by up to a half at random. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  readonly random: Random;
  readonly sleep: Sleep;
}

/** Rejects when the signal fires. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

export const sleepUnref: Sleep = (ms, signal) => delay(ms, undefined, { signal, ref: false });

const CONNECT_TIMEOUT_MS = 10_000;
const MAX_READ_BYTES = 4096;
const MAX_EXCERPT_CHARS = 200;

/** Calls are rare and far apart: a connection each, so that none is found closed by the other side. */
export function createPostAgent(): Agent {
  return new Agent({ pipelining: 0, connect: { timeout: CONNECT_TIMEOUT_MS }, maxResponseSize: -1 });
}

/** Never rejects. Tries again after time-outs, unreachable servers, 5xx and 429. */
export async function postRetrying(
  agent: Agent,
  post: Post,
  retrying: Retrying,
  signal: AbortSignal,
): Promise<Posted> {
  for (let attempt = 0; ; attempt++) {
    const posted = await postOnce(agent, post, signal);
    if (attempt >= retrying.retries || !isWorthRetrying(posted)) return posted;
    const fullMs = Math.min(retrying.firstDelayMs * 2 ** attempt, retrying.maxDelayMs);
    try {
      await retrying.sleep(fullMs * (1 - retrying.random() / 2), signal);
    } catch {
      return { kind: 'cancelled' };
    }
  }
}

function isWorthRetrying(posted: Posted): boolean {
  switch (posted.kind) {
    case 'answered':
      return posted.status >= 500 || posted.status === 429;
    case 'timeout':
    case 'unreachable':
      return true;
    case 'unsendable':
    case 'cancelled':
      return false;
    default:
      return assertNever(posted);
  }
}

/** For people: no address, no credentials. */
export function describePosted(posted: Posted, timeoutMs: number): string {
  switch (posted.kind) {
    case 'answered': {
      if (posted.status >= 300 && posted.status < 400) return `${posted.status}: redirects are not followed`;
      return posted.excerpt === '' ? `${posted.status}` : `${posted.status}: ${posted.excerpt}`;
    }
    case 'timeout':
      return `no answer within ${timeoutMs} ms`;
    case 'unreachable':
      return `could not be reached (${posted.reason})`;
    case 'unsendable':
      return `could not be sent (${posted.reason})`;
    case 'cancelled':
      return 'given up before an answer came';
    default:
      return assertNever(posted);
  }
}

export function isAccepted(posted: Posted): boolean {
  return posted.kind === 'answered' && posted.status >= 200 && posted.status < 300;
}

async function postOnce(agent: Agent, post: Post, signal: AbortSignal): Promise<Posted> {
  if (signal.aborted) return { kind: 'cancelled' };
  const attempt = new AbortController();
  const cancel = () => attempt.abort();
  signal.addEventListener('abort', cancel);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    attempt.abort();
  }, post.timeoutMs);
  try {
    return await exchange(agent, post, attempt.signal, signal);
  } catch (error) {
    if (signal.aborted) return { kind: 'cancelled' };
    return late ? { kind: 'timeout' } : failureOf(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
  }
}

async function exchange(
  agent: Agent,
  post: Post,
  signal: AbortSignal,
  cancelled: AbortSignal,
): Promise<Posted> {
  const url = new URL(post.url);
  const headers = headersOf(post, url);
  const { statusCode, body } = await request(`${url.origin}${url.pathname}${url.search}`, {
    dispatcher: agent,
    method: 'POST',
    headers,
    body: post.body,
    signal,
    // The attempt's own deadline stands above both.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const start = await beginningOf(body, MAX_READ_BYTES);
  if (cancelled.aborted) return { kind: 'cancelled' };
  return { kind: 'answered', status: statusCode, excerpt: excerptOf(start, secretsOf(headers, url)) };
}

function headersOf(post: Post, url: URL): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': post.contentType,
    accept: '*/*',
    'user-agent': 'coalmine',
  };
  if (url.username !== '' || url.password !== '') {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
  }
  for (const { name, value } of post.headers) headers[name.toLowerCase()] = value;
  return headers;
}

const NO_SECRETS = new Set(['content-type', 'accept', 'user-agent']);
/** Shorter ones would blot out what is only alike. */
const MIN_SECRET_CHARS = 4;

/** What a server that repeats the request in its answer must not bring into the history. */
function secretsOf(headers: Readonly<Record<string, string>>, url: URL): string[] {
  const values = Object.entries(headers)
    .filter(([name]) => !NO_SECRETS.has(name))
    .flatMap(([, value]) => [value, ...value.split(' ')]);
  return [...values, url.password, decodeURIComponent(url.password), ...url.searchParams.values()]
    .filter((value) => value.length >= MIN_SECRET_CHARS)
    .sort((a, b) => b.length - a.length);
}

function excerptOf(text: string, secrets: readonly string[]): string {
  const safe = secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  const line = safe.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return [...line].slice(0, MAX_EXCERPT_CHARS).join('');
}

function failureOf(error: unknown): Posted {
  const { code, name } = error as NodeJS.ErrnoException;
  const reason = code ?? name;
  // Its messages may hold the URL or a header, so the code has to do.
  const unsendable = reason === 'ERR_INVALID_URL' || reason === 'UND_ERR_INVALID_ARG' || code === undefined;
  return { kind: unsendable ? 'unsendable' : 'unreachable', reason };
}
