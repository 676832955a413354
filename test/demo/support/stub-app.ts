import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DemoApp, StartApp } from '../../../src/demo/demo.ts';

/**
 * The smallest thing that can stand where the gateway stands: it takes every tenth user to v2, names the
 * version, gives strangers a cookie, and counts what it saw.
 */
export interface StubApp extends DemoApp {
  readonly seen: { userId: string | null; cookie: string | null; version: string; body: string }[];
}

export interface StubOptions {
  readonly v1Url: string;
  readonly v2Url: string;
  readonly port?: number;
  /** Called for each request before it is passed on; true: the stub has dealt with it. */
  readonly instead?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export const startStubFromEnv: StartApp = ({ env }) =>
  startStubApp({
    v1Url: env.IRIS_V1_URL!,
    v2Url: env.IRIS_V2_URL!,
    port: Number(env.DEMO_LISTEN!.split(':')[1]),
  });

export async function startStubApp(options: StubOptions): Promise<StubApp> {
  const seen: StubApp['seen'] = [];
  const gateway = createServer((incoming, outgoing) => {
    if (!options.instead?.(incoming, outgoing)) forward(incoming, outgoing, options, seen);
  });
  const admin = createServer((_, response) =>
    response.end('coalmine_mirror_requests_total{app="iris-api",version="v2",outcome="ok"} 3\n'),
  );
  const gatewayUrl = await listen(gateway, options.port ?? 0);
  const adminUrl = await listen(admin, 0);
  return {
    gatewayUrl,
    adminUrl,
    seen,
    async close() {
      for (const server of [gateway, admin]) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: StubOptions,
  seen: StubApp['seen'],
): void {
  const userId = headerOf(incoming, 'x-user-id');
  const cookie = headerOf(incoming, 'cookie');
  const version = /0$/.test(userId ?? cookie ?? '1') ? 'v2' : 'v1';
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    const body = Buffer.concat(chunks).toString('utf8');
    seen.push({ userId, cookie, version, body });
    if (userId === null && cookie === null) outgoing.setHeader('set-cookie', `id=${seen.length}; HttpOnly`);
    outgoing.setHeader('x-coalmine-version', version);
    const upstream = request(
      `${version === 'v1' ? options.v1Url : options.v2Url}${incoming.url}`,
      { method: 'POST' },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 0, { 'content-type': 'application/json' });
        answer.pipe(outgoing);
      },
    );
    upstream.on('error', () => outgoing.writeHead(502).end('{"error":"upstream_refused"}'));
    upstream.end(body);
  });
}

function headerOf(incoming: IncomingMessage, name: string): string | null {
  const value = incoming.headers[name];
  return typeof value === 'string' ? value : null;
}

function listen(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    );
  });
}
