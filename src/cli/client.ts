import { readFileSync } from 'node:fs';
import { API, type ErrorBody } from '../admin/contract.ts';
import { CliError, EXIT, type ExitCode, type Io } from './io.ts';

export const DEFAULT_SERVER = 'http://127.0.0.1:9090';
const TIMEOUT_MS = 10_000;

export interface ServerOptions {
  readonly server?: string;
  readonly tokenFile?: string;
}

/** Calls the admin API of a running gateway. Paths are below `/api/v1`, already escaped. */
export interface Client {
  get<T>(path: string, wait?: Wait): Promise<T>;
  put<T>(path: string, body: object): Promise<T>;
  post<T>(path: string, body: object): Promise<T>;
}

/** How long an answer is worth waiting for. */
export interface Wait {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The gateway does not answer, or not as itself; it may do so again. */
export class UnreachableError extends CliError {}

/** The gateway's own no. */
export class RefusedError extends CliError {
  /** Stable, for programs. */
  readonly code: string;

  constructor(exitCode: ExitCode, code: string, message: string) {
    super(exitCode, message);
    this.code = code;
  }
}

/** Throws an UnreachableError or, for whatever is not a 2xx, a RefusedError with the server's own message. */
export function createClient(options: ServerOptions, io: Io): Client {
  const base = serverUrl(options.server ?? io.env.COALMINE_ADMIN ?? DEFAULT_SERVER);
  const token = tokenOf(options, io);
  const headers = new Headers({ accept: 'application/json' });
  if (token !== null) headers.set('authorization', `Bearer ${token}`);
  const typed = new Headers(headers);
  typed.set('content-type', 'application/json');
  const send = <T>(method: string, path: string, body: object): Promise<T> =>
    call(base, path, { method, headers: typed, body: JSON.stringify(body) });
  return {
    get: (path, wait) => call(base, path, { headers }, wait),
    put: (path, body) => send('PUT', path, body),
    post: (path, body) => send('POST', path, body),
  };
}

export function rolloutPath(name: string): string {
  return `/rollouts/${encodeURIComponent(name)}`;
}

/** Who a rollout's history shall say it was; 100 characters are taken. */
export function actorOf({ env }: Io): string {
  return `cli:${env.USER || env.LOGNAME || 'unknown'}`.slice(0, 100);
}

export function servicePath(name: string): string {
  return `/services/${encodeURIComponent(name)}`;
}

async function call<T>(base: URL, path: string, init: RequestInit, wait: Wait = {}): Promise<T> {
  const url = new URL(`${base.pathname.replace(/\/$/, '')}${API}${path}`, base);
  const timeoutMs = wait.timeoutMs ?? TIMEOUT_MS;
  const signals = [AbortSignal.timeout(timeoutMs), ...(wait.signal === undefined ? [] : [wait.signal])];
  let response: Response;
  let body: unknown;
  try {
    // A redirect would carry the token elsewhere.
    response = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.any(signals) });
    body = parsed(await response.text());
  } catch (error) {
    throw new UnreachableError(EXIT.no, unreachable(base, error, timeoutMs));
  }
  if (response.ok && body !== null) return body as T;
  throw refusal(base, response, body);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refusal(base: URL, response: Response, body: unknown): CliError {
  const told = body as Partial<ErrorBody> | null;
  if (typeof told?.message !== 'string' || typeof told.error !== 'string') {
    const what = `answered ${response.status} and nothing that coalmine would`;
    return new UnreachableError(EXIT.no, `${base.origin} ${what}; is this its admin address?`);
  }
  const exitCode = response.status === 400 ? EXIT.usage : EXIT.no;
  return new RefusedError(exitCode, told.error, refusalText(base, response.status, told.message));
}

function refusalText(base: URL, status: number, message: string): string {
  return status === 401
    ? `${base.origin} wants a token: set COALMINE_TOKEN, or name a file that holds it with --token-file`
    : message;
}

function unreachable(base: URL, error: unknown, timeoutMs: number): string {
  const { cause, name } = error as { cause?: { code?: string; message?: string }; name?: string };
  const why =
    name === 'TimeoutError' ? `no answer within ${timeoutMs / 1000} s` : (cause?.code ?? cause?.message);
  return (
    `cannot reach the gateway's admin port at ${base.origin} (${why ?? String(error)}); ` +
    'start it with "coalmine run", or give its address with --server or COALMINE_ADMIN'
  );
}

function serverUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new CliError(
      EXIT.usage,
      `the server must be a URL such as ${DEFAULT_SERVER}, not ${JSON.stringify(text)}`,
    );
  }
  return url;
}

function tokenOf({ tokenFile }: ServerOptions, io: Io): string | null {
  if (tokenFile === undefined) return io.env.COALMINE_TOKEN ?? null;
  try {
    return readFileSync(tokenFile, 'utf8').trim();
  } catch (error) {
    throw new CliError(EXIT.usage, `cannot read the token file: ${(error as Error).message}`);
  }
}
