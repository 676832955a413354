import { readFileSync } from 'node:fs';
import { API, type ErrorBody } from '../admin/contract.ts';
import { CliError, EXIT, type Io } from './io.ts';

export const DEFAULT_SERVER = 'http://127.0.0.1:9090';
const TIMEOUT_MS = 10_000;

export interface ServerOptions {
  readonly server?: string;
  readonly tokenFile?: string;
}

/** Calls the admin API of a running gateway. Paths are below `/api/v1`, already escaped. */
export interface Client {
  get<T>(path: string): Promise<T>;
  put<T>(path: string, body: object): Promise<T>;
}

/** Throws a CliError for whatever is not a 2xx, with the server's own message. */
export function createClient(options: ServerOptions, io: Io): Client {
  const base = serverUrl(options.server ?? io.env.COALMINE_ADMIN ?? DEFAULT_SERVER);
  const token = tokenOf(options, io);
  const headers = new Headers({ accept: 'application/json' });
  if (token !== null) headers.set('authorization', `Bearer ${token}`);
  return {
    get: (path) => call(base, path, { headers }),
    put(path, body) {
      const typed = new Headers(headers);
      typed.set('content-type', 'application/json');
      return call(base, path, { method: 'PUT', headers: typed, body: JSON.stringify(body) });
    },
  };
}

export function servicePath(name: string): string {
  return `/services/${encodeURIComponent(name)}`;
}

async function call<T>(base: URL, path: string, init: RequestInit): Promise<T> {
  const url = new URL(`${base.pathname.replace(/\/$/, '')}${API}${path}`, base);
  let response: Response;
  try {
    // A redirect would carry the token elsewhere.
    response = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new CliError(EXIT.no, unreachable(base, error));
  }
  const body = await bodyOf(response);
  if (response.ok && body !== null) return body as T;
  throw new CliError(response.status === 400 ? EXIT.usage : EXIT.no, refusalText(base, response, body));
}

async function bodyOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return null;
  }
}

function refusalText(base: URL, response: Response, body: unknown): string {
  const told = body as Partial<ErrorBody> | null;
  if (typeof told?.message !== 'string') {
    return `${base.origin} answered ${response.status} and nothing that coalmine would; is this its admin address?`;
  }
  if (response.status === 401) {
    return `${base.origin} wants a token: set COALMINE_TOKEN, or name a file that holds it with --token-file`;
  }
  return told.message;
}

function unreachable(base: URL, error: unknown): string {
  const { cause, name } = error as { cause?: { code?: string; message?: string }; name?: string };
  const why =
    name === 'TimeoutError' ? `no answer within ${TIMEOUT_MS / 1000} s` : (cause?.code ?? cause?.message);
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
