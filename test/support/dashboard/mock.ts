import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type {
  DisagreementsBody,
  ExperimentTimelineBody,
  ExperimentView,
  ExplainBody,
  HistoryView,
  LiveEvent,
  OverviewView,
  RolloutView,
  TimelineBody,
} from '../../../src/admin/contract.ts';

/** What a stand-in for the gateway's admin port tells; change it, and the next event has it. */
export interface MockData {
  overview: OverviewView;
  rollouts: Record<string, RolloutView>;
  history: HistoryView[];
  timeline: TimelineBody;
  experiments: Record<string, ExperimentView>;
  experimentTimeline: ExperimentTimelineBody;
  disagreements: DisagreementsBody['disagreements'];
  explain(params: URLSearchParams): ExplainBody;
  /** Answers to POSTs; a refusal has a status and a message. */
  post(verb: string, body: unknown): { status: number; body: object };
}

export interface Mock {
  readonly url: string;
  readonly data: MockData;
  close(): Promise<void>;
}

/** As the gateway sends it. */
export const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Serves the page out of `folder` and made-up data behind it, so that every state can be looked at. */
export async function startMock(folder: string, data: MockData, port = 0): Promise<Mock> {
  const server = createServer((request, response) => {
    void answer(folder, data, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    data,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  folder: string,
  data: MockData,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://mock');
  const [, name = '', more = ''] =
    /^\/api\/v1\/(?:services|rollouts|experiments)\/([^/]+)\/?(.*)$/.exec(url.pathname) ?? [];
  if (!url.pathname.startsWith('/api/v1/')) return file(folder, url.pathname, response);
  if (url.pathname === '/api/v1/events') return stream(data, url.searchParams.get('service'), response);
  if (request.method === 'POST') {
    const { status, body } = data.post(more, JSON.parse((await bodyOf(request)) || '{}'));
    return json(response, status, body);
  }
  const service = data.overview.services.find((one) => one.name === decodeURIComponent(name));
  if (service === undefined)
    return json(response, 404, { error: 'unknown_service', message: `there is no service ${name}` });
  const found = body(data, url, service.name, more);
  json(response, found === null ? 404 : 200, found ?? { error: 'none', message: 'there is none' });
}

function body(data: MockData, url: URL, name: string, more: string): object | null {
  const kind = url.pathname.split('/')[3];
  if (kind === 'rollouts') {
    if (data.rollouts[name] === undefined) return null;
    return more === 'history' ? { service: name, history: data.history } : data.rollouts[name];
  }
  if (kind === 'experiments') {
    if (data.experiments[name] === undefined) return null;
    return more === 'timeline' ? data.experimentTimeline : data.experiments[name];
  }
  switch (more) {
    case 'timeline':
      return { ...data.timeline, service: name };
    case 'explain':
      return data.explain(url.searchParams);
    case 'disagreements':
      return { service: name, disagreements: data.disagreements };
    default:
      return detail(data, name);
  }
}

function detail(data: MockData, name: string): object {
  const service = data.overview.services.find((one) => one.name === name);
  return {
    ...service,
    stage: 4,
    revision: data.overview.revision,
    versions: service?.versions.map((version) => ({
      ...version,
      endpoints: Array.from({ length: version.endpoints.total }, (_, i) => ({
        url: `http://${version.name}-${i}:8080`,
        healthy: i < version.endpoints.healthy,
        ejected: false,
        pending: 0,
      })),
    })),
    sticky: {
      by: ['header:x-user-id'],
      mode: 'hash',
      issueCookie: { name: 'coalmine_id', maxAgeS: 1, domain: null },
    },
    salt: name,
    rules: [],
    mirror: service?.mirror == null ? null : { to: service.mirror, percent: 20 },
  };
}

function stream(data: MockData, service: string | null, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = ({ kind, ...rest }: LiveEvent) =>
    response.write(`event: ${kind}\ndata: ${JSON.stringify(rest)}\n\n`);
  const tell = () => {
    send({ kind: 'overview', overview: data.overview });
    const rollout = data.rollouts[service ?? ''];
    const experiment = data.experiments[service ?? ''];
    if (rollout !== undefined) send({ kind: 'rollout', rollout });
    if (experiment !== undefined) send({ kind: 'experiment', experiment });
  };
  tell();
  const timer = setInterval(tell, 500);
  response.on('close', () => clearInterval(timer));
}

async function file(folder: string, pathname: string, response: ServerResponse): Promise<void> {
  const name = pathname === '/' ? 'index.html' : path.basename(pathname);
  try {
    const content = await readFile(path.join(folder, name));
    response.writeHead(200, {
      'content-type': TYPES[path.extname(name)] ?? 'application/octet-stream',
      'content-security-policy': CSP,
    });
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

function json(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
