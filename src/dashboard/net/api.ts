import type { ErrorBody } from '../../admin/contract.ts';

/** What the admin API answered; a failure says in words what happened. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  /** `status` 0: there was no answer at all. */
  | { readonly ok: false; readonly status: number; readonly message: string };

export interface Api {
  get<T>(path: string, signal?: AbortSignal): Promise<Answer<T>>;
  post<T>(path: string, body: object): Promise<Answer<T>>;
}

export interface ApiDeps {
  readonly fetch: typeof fetch;
  /** Null: none is known. */
  token(): string | null;
  /** The API wants a token, or another one. */
  onDenied(): void;
}

const TIMEOUT_MS = 10_000;

/** Paths are relative to the page, so that it works below a path of a proxy as well. */
export const BASE = 'api/v1/';

export function createApi(deps: ApiDeps): Api {
  const ask = async <T>(path: string, init: RequestInit, signal?: AbortSignal): Promise<Answer<T>> => {
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const response = await deps.fetch(BASE + path, {
        ...init,
        headers: { ...bearer(deps.token()), ...init.headers },
        signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
      });
      if (response.status === 401) deps.onDenied();
      if (response.ok) return { ok: true, value: (await response.json()) as T };
      return { ok: false, status: response.status, message: await messageOf(response) };
    } catch (error) {
      return { ok: false, status: 0, message: whyNot(error, limit.aborted) };
    }
  };
  return {
    get: (path, signal) => ask(path, {}, signal),
    post: (path, body) =>
      ask(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
  };
}

export function bearer(token: string | null): Record<string, string> {
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

/** Of an answer that is not 2xx. */
export async function messageOf(response: Response): Promise<string> {
  try {
    const { message } = (await response.json()) as Partial<ErrorBody>;
    if (typeof message === 'string' && message !== '') return message;
  } catch {
    // Whoever stands between does not speak JSON.
  }
  return `the gateway answered ${response.status} ${response.statusText}`.trim();
}

function whyNot(error: unknown, late: boolean): string {
  if (late) return `the gateway did not answer within ${TIMEOUT_MS / 1000} s`;
  if (error instanceof SyntaxError) return 'the gateway answered something that is no JSON';
  return 'the gateway cannot be reached';
}
