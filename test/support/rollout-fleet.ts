import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import type { HistoryBody, RolloutBody } from '../../src/admin/contract.ts';
import { sleep } from './wait.ts';

/** The versions of services under a rollout, those who use them, and who asks how far it has come. */

export interface Model {
  readonly url: string;
  /** Of the answers from now on. */
  status: number;
}

/** One version of a service: an upstream in this process. */
export async function startModel(t: Test): Promise<Model> {
  const server = http.createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(model.status, { 'content-length': 2 });
      response.end('ok');
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const model: Model = { url: `http://127.0.0.1:${port}`, status: 200 };
  return model;
}

export interface Asked {
  readonly host: string;
  readonly key: string;
  /** 0: no answer came. */
  readonly status: number;
  /** Who answered, as the gateway tells. */
  readonly version: string;
  /** Wall time before the first byte was sent. */
  readonly startedWallMs: number;
}

/** One request; never rejects. */
export function ask(port: number, host: string, key: string, agent?: http.Agent): Promise<Asked> {
  const startedWallMs = Date.now();
  return new Promise((resolve) => {
    const end = (status: number, version: string) => resolve({ host, key, status, version, startedWallMs });
    const request = http.get({
      host: '127.0.0.1',
      port,
      path: '/predict',
      headers: { host, 'x-user-id': key },
      agent: agent ?? false,
      timeout: 10_000,
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', () => end(0, ''));
    request.on('response', (response) => {
      response.on('error', () => end(0, ''));
      response.resume().on('end', () => {
        end(response.statusCode ?? 0, String(response.headers['x-coalmine-version'] ?? ''));
      });
    });
  });
}

export const KEYS: readonly string[] = Array.from({ length: 40 }, (_, n) => `user-${n}`);

/** The answers to every key, asked from the first moment at which somebody listens. */
export async function firstAnswers(port: number, host: string, wanted: () => boolean): Promise<Asked[]> {
  for (;;) {
    // Before the attempt: it may be refused just before somebody listens and says so.
    const isLast = !wanted();
    const first = await ask(port, host, KEYS[0] as string);
    if (first.status !== 0) {
      return [first, ...(await Promise.all(KEYS.slice(1).map((key) => ask(port, host, key))))];
    }
    if (isLast) throw new Error('nobody answered');
    await sleep(20);
  }
}

/** Users who go on asking, each service so often a second, whatever becomes of their requests. */
export class Users {
  readonly asked: Asked[] = [];
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  readonly #underWay = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #rounds = 0;

  /** `port` is read for every request: a gateway started anew may have another one. */
  constructor(t: Test, port: () => number, hosts: readonly string[], perSecond: number) {
    t.teardown(() => this.stop());
    this.#timer = setInterval(() => {
      const key = KEYS[this.#rounds++ % KEYS.length] as string;
      for (const host of hosts) this.#send(port(), host, key);
    }, 1_000 / perSecond);
  }

  async stop(): Promise<readonly Asked[]> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
    this.#agent.destroy();
    return this.asked;
  }

  #send(port: number, host: string, key: string): void {
    const done = ask(port, host, key, this.#agent).then((asked) => void this.asked.push(asked));
    this.#underWay.add(done);
    void done.then(() => this.#underWay.delete(done));
  }
}

export interface ApiAnswer<T> {
  readonly status: number;
  readonly body: T;
}

/** Calls the admin API; rejects when nobody answers. */
export async function api<T>(adminUrl: string, path: string, command?: object): Promise<ApiAnswer<T>> {
  const init =
    command === undefined
      ? {}
      : {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(command),
        };
  const answer = await fetch(`${adminUrl}/api/v1${path}`, init);
  return { status: answer.status, body: (await answer.json()) as T };
}

export async function rolloutOf(adminUrl: string, service: string): Promise<RolloutBody> {
  return (await api<RolloutBody>(adminUrl, `/rollouts/${service}`)).body;
}

export async function historyOf(adminUrl: string, service: string): Promise<HistoryBody['history']> {
  return (await api<HistoryBody>(adminUrl, `/rollouts/${service}/history`)).body.history;
}
