import http from 'node:http';
import https from 'node:https';
import type { Test } from 'tap';
import { ASSIGN_REASONS, MIRROR_OUTCOMES, type MirrorOutcome } from '../../src/core/model.ts';
import { METHODS, methodOfKey, REQUEST_SLOTS, statusOfKey, type Tally } from '../../src/core/tally.ts';
import type { TestGateway } from '../support/gateway.ts';
import { until } from '../support/wait.ts';

/** An ordinary client with keep-alive connections, and what was counted, version by version. */

export interface Ask {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  readonly agent?: http.Agent;
}

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: NodeJS.Dict<string>;
  /** The version that the gateway says it came from, or ''. */
  readonly version: string;
}

export type Client = (path: string, ask?: Ask) => Promise<Reply>;

/** Rejects when no whole answer comes. */
export function clientOf(t: Test, url: string, options: https.AgentOptions = {}): Client {
  const { protocol, hostname, port } = new URL(url);
  const secure = protocol === 'https:';
  const agentOptions = { keepAlive: true, maxSockets: 16, ...options };
  const shared = secure ? new https.Agent(agentOptions) : new http.Agent(agentOptions);
  t.teardown(() => shared.destroy());
  return (path, { method = 'GET', headers = {}, body, agent = shared } = {}) =>
    new Promise((resolve, reject) => {
      // Given apart from the origin: as part of a URL the path would be normalised here already.
      const options = { hostname, port, path, method, headers, agent };
      const request = (secure ? https : http).request(options, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({
            status: answer.statusCode as number,
            headers: answer.headers,
            body: Buffer.concat(parts).toString('utf8'),
            trailers: answer.trailers,
            version: (answer.headers['x-coalmine-version'] as string | undefined) ?? '',
          }),
        );
      });
      request.on('error', reject);
      // Node leaves the length out for some methods, which then have no body.
      if (body !== undefined && body !== '') request.setHeader('content-length', Buffer.byteLength(body));
      request.end(body);
    });
}

/** The JSON object in an answer's body. */
export function jsonIn(reply: Reply): Record<string, unknown> {
  return JSON.parse(reply.body) as Record<string, unknown>;
}

/** The tally of one version, in the newest stage. */
export function tallyOf(gateway: TestGateway, version: string, service = 'svc'): Tally {
  const held = gateway.recorder.tallies().filter((one) => one.version === version && one.service === service);
  const newest = held.at(-1);
  if (newest === undefined) throw new Error(`no tally of ${service} ${version}`);
  return newest;
}

/** Answers of one version by method and status, as counted: `GET 200` → 3. */
export function countedFor(gateway: TestGateway, version: string, service = 'svc'): Record<string, number> {
  const { requests, slotKeys } = tallyOf(gateway, version, service);
  const counted: Record<string, number> = {};
  for (let slot = 0; slot < REQUEST_SLOTS; slot++) {
    const count = requests[slot] as number;
    const key = slotKeys[slot] as number;
    if (count > 0) counted[`${methodOfKey(key) || METHODS[0]} ${statusOfKey(key)}`] = count;
  }
  return counted;
}

/** Why requests got this version: reason → requests, without zeros. */
export function reasonsFor(gateway: TestGateway, version: string, service = 'svc'): Record<string, number> {
  return nonZero(ASSIGN_REASONS, tallyOf(gateway, version, service).assigned);
}

/** What became of the shadow's copies, without zeros. */
export function mirroredTo(gateway: TestGateway, version: string, service = 'svc'): Record<string, number> {
  return nonZero(MIRROR_OUTCOMES, tallyOf(gateway, version, service).mirrored);
}

/** Resolves when the shadow's outcomes are exactly these. */
export function mirrorSettled(
  gateway: TestGateway,
  version: string,
  wanted: Partial<Record<MirrorOutcome, number>>,
): Promise<void> {
  const told = JSON.stringify(Object.entries(wanted).sort());
  const now = () => JSON.stringify(Object.entries(mirroredTo(gateway, version)).sort());
  return until(() => now() === told, `mirror outcomes ${told}`).catch((error: Error) => {
    throw new Error(`${error.message}; they are ${now()}`);
  });
}

function nonZero(names: readonly string[], counts: Float64Array): Record<string, number> {
  const found: Record<string, number> = {};
  names.forEach((name, index) => {
    const count = counts[index] as number;
    if (count !== 0) found[name] = count;
  });
  return found;
}
