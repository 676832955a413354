import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { Bell } from '../support/wait.ts';

/** A server that hooks and notifications are sent to. */

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly got: readonly Received[];
  /** Resolves once so many have come. */
  count(least: number): Promise<void>;
}

export type Answer = (response: ServerResponse, index: number, received: Received) => void;

/** `answer` gets the response and how many came before; 200 with nothing unless told otherwise. */
export async function receiver(t: Test, answer: Answer = (response) => response.end()): Promise<Receiver> {
  const got: Received[] = [];
  const bell = new Bell();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url: path = '', headers } = request;
    const received = { method, path, headers, body: Buffer.concat(chunks).toString('utf8') };
    answer(response, got.push(received) - 1, received);
    bell.ring();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    got,
    count: (least) =>
      bell.until(
        () => got.length >= least,
        () => `${least} requests; ${got.length} came`,
      ),
  };
}

/** A port where nobody listens any more. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
