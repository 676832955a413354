import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** A plain upstream that says in JSON what it was asked. */

export interface Echoed {
  readonly server: string;
  readonly method: string;
  readonly url: string;
  /** Lower-case names; values of repeated headers joined. */
  readonly headers: Record<string, string>;
  readonly body: string;
}

export interface Echo {
  readonly name: string;
  readonly port: number;
  readonly url: string;
  readonly seen: Echoed[];
}

export async function startEcho(t: Test, name: string): Promise<Echo> {
  const seen: Echoed[] = [];
  const server = http.createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const echoed: Echoed = {
      server: name,
      method: request.method ?? '',
      url: request.url ?? '',
      headers: plainHeaders(request.headersDistinct),
      body: Buffer.concat(parts).toString('utf8'),
    };
    seen.push(echoed);
    response.setHeader('content-type', 'application/json');
    response.setHeader('x-server', name);
    response.end(JSON.stringify(echoed));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return { name, port, url: `http://127.0.0.1:${port}`, seen };
}

function plainHeaders(distinct: NodeJS.Dict<string[]>): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, values] of Object.entries(distinct)) plain[name] = (values ?? []).join(', ');
  return plain;
}
