import { setMaxListeners } from 'node:events';
import { Agent } from 'undici';

/** One question to a provider over HTTP: bounded in time and size, sent once, followed nowhere. */
export interface HttpQuestion {
  /** http or https. A user and password in it become basic authentication and are never shown. */
  readonly url: URL;
  readonly method: 'GET' | 'POST' | 'PUT';
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** From the connection to the last byte of the answer. */
  readonly timeoutMs: number;
}

export type HttpAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  /** Nobody there, too slow, gone before the end, or not able to answer now. */
  | { readonly kind: 'unreachable'; readonly reason: string }
  /** Something is there that cannot be used as it is. */
  | { readonly kind: 'unusable'; readonly reason: string };

export interface HttpClient {
  /** Never rejects. A reason holds no header, credential or query. */
  ask(question: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

const MAX_ANSWER_BYTES = 4 << 20;
/** What is read of an answer that is no 2xx: it is for people at most. */
const MAX_REFUSAL_BYTES = 64 << 10;
const CONNECT_TIMEOUT_MS = 10_000;

export function createHttpClient(): HttpClient {
  const agent = new Agent({
    // Per origin; what is beyond it waits, and its time-out runs.
    connections: 32,
    pipelining: 1,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    maxHeaderSize: 16 << 10,
    // The question's own time-out covers the whole of it.
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
  });
  const closing = new AbortController();
  // Every question listens to it.
  setMaxListeners(0, closing.signal);
  return {
    ask: (question, signal) => ask(agent, question, [signal, closing.signal]),
    close() {
      // The agent forgets a pool that lost a connection even while the pool is in use, so it cannot end all.
      closing.abort();
      return agent.destroy();
    },
  };
}

async function ask(
  agent: Agent,
  question: HttpQuestion,
  signals: readonly AbortSignal[],
): Promise<HttpAnswer> {
  const { url, timeoutMs } = question;
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return {
      kind: 'unusable',
      reason: `its address begins with ${url.protocol}, which is not http: or https:`,
    };
  }
  if (signals.some(({ aborted }) => aborted)) return STOPPED;
  const ender = new AbortController();
  const stop = () => ender.abort();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    ender.abort();
  }, timeoutMs);
  for (const signal of signals) signal.addEventListener('abort', stop, { once: true });
  try {
    return await exchange(agent, question, ender.signal);
  } catch (error) {
    if (late) return { kind: 'unreachable', reason: `no answer within ${timeoutMs / 1000} s` };
    if (ender.signal.aborted) return STOPPED;
    return failure(error);
  } finally {
    clearTimeout(timer);
    for (const signal of signals) signal.removeEventListener('abort', stop);
  }
}

const STOPPED: HttpAnswer = { kind: 'unreachable', reason: 'the measurement was stopped' };

async function exchange(agent: Agent, question: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer> {
  const { url, method, body } = question;
  const { statusCode, body: stream } = await agent.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    headers: headersOf(question),
    body,
    signal,
    // A connection a question: measurements are minutes apart, and a kept one may be dead by then.
    reset: true,
  });
  const isGood = statusCode >= 200 && statusCode < 300;
  if (statusCode >= 300 && statusCode < 400) {
    stream.on('error', () => {});
    stream.destroy();
    return { kind: 'unusable', reason: `it answered ${statusCode}, a redirect, which is not followed` };
  }
  const text = await read(stream, isGood ? MAX_ANSWER_BYTES : MAX_REFUSAL_BYTES);
  if (text.isWhole || !isGood) return { kind: 'answered', status: statusCode, body: text.text };
  return { kind: 'unusable', reason: `its answer is longer than ${MAX_ANSWER_BYTES} bytes` };
}

/** Leaving the loop early destroys the stream, and with it the connection. */
async function read(
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<{ text: string; isWhole: boolean }> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return { text, isWhole: false };
    text += decoder.decode(chunk, { stream: true });
  }
  return { text: text + decoder.decode(), isWhole: true };
}

function headersOf({ url, headers }: HttpQuestion): Record<string, string> {
  const sent: Record<string, string> = { 'accept-encoding': 'identity', ...headers };
  if (sent.authorization === undefined && (url.username !== '' || url.password !== '')) {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    sent.authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
  }
  return sent;
}

function failure(error: unknown): HttpAnswer {
  const { name, code, message } = error as { name?: string; code?: string; message?: string };
  if (name === 'HTTPParserError') return { kind: 'unusable', reason: 'what it answers is not HTTP' };
  if (code === 'UND_ERR_HEADERS_OVERFLOW')
    return { kind: 'unusable', reason: 'its answer has too long headers' };
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') {
    return { kind: 'unusable', reason: `the request cannot be sent: ${message ?? code}` };
  }
  if (error instanceof URIError)
    return { kind: 'unusable', reason: 'the user or password in its address is not escaped' };
  return { kind: 'unreachable', reason: message || code || String(error) };
}

/** Says that the server cannot answer now, and nothing of the question. */
export function isUnavailable(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

/** Null for what is no URL. */
export function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

/** An address without user, password and query, any of which may be a secret. */
export function shownUrl(url: URL): string {
  return url.pathname === '/' ? url.origin : url.origin + url.pathname;
}

/** Later ones of a name replace earlier ones. */
export function headerRecord(
  headers: readonly { readonly name: string; readonly value: string }[],
): Record<string, string> {
  return Object.fromEntries(headers.map(({ name, value }) => [name.toLowerCase(), value]));
}
