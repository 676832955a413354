import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { ControlApi } from '../control/api.ts';
import { assertNever } from '../core/model.ts';
import type { Log } from '../ports.ts';
import { type AccessSettings, createGuard, type Guard, type Refusal, type Visitor } from './auth.ts';
import type { ErrorBody } from './contract.ts';
import type { PageFiles } from './page-files.ts';
import type { Access } from './routes/common.ts';
import { dashboardRoutes } from './routes/dashboard.ts';
import { experimentRoutes } from './routes/experiments.ts';
import { feedbackRoute } from './routes/feedback.ts';
import { liveRoutes } from './routes/live.ts';
import { type MetricsSource, metricsRoute } from './routes/metrics.ts';
import { probeRoutes } from './routes/probes.ts';
import { rolloutRoutes } from './routes/rollouts.ts';
import { serviceRoutes } from './routes/services.ts';
import type { Streams } from './streams.ts';

export interface AdminDeps {
  readonly control: ControlApi;
  readonly metrics: MetricsSource;
  /** The page served at `/`. */
  readonly page: PageFiles;
  /** Made by the caller, who counts them; closed here. */
  readonly streams: Streams;
  readonly log: Log;
}

export interface Admin {
  /** As bound, e.g. `http://127.0.0.1:9090`. */
  readonly url: string;
  /** Stops listening; answers under way get a second to finish. */
  close(): Promise<void>;
}

const CLOSE_GRACE_MS = 1_000;
/** Scrapers, probes and a few people; strangers beyond that must not use up the process's descriptors. */
const MAX_CONNECTIONS = 512;

/** The admin port: a listener and a server of its own, so that no route of it can be reached from the data path. */
export async function startAdmin(settings: AccessSettings, deps: AdminDeps): Promise<Admin> {
  const guard = createGuard(settings);
  const app = createServer(deps);
  addGuard(app, guard);
  probeRoutes(app, deps.control, (request) => guard.full(visitorOf(request)) === null);
  metricsRoute(app, deps.metrics);
  serviceRoutes(app, deps.control);
  rolloutRoutes(app, deps.control);
  experimentRoutes(app, deps.control);
  feedbackRoute(app, deps.control);
  liveRoutes(app, deps.control, deps.streams);
  dashboardRoutes(app, deps.page);
  app.server.maxConnections = MAX_CONNECTIONS;
  await app.listen({ host: settings.host, port: settings.port });
  return { url: urlOf(app.server.address() as AddressInfo), close: () => close(app, deps.streams) };
}

function createServer({ log }: AdminDeps): FastifyInstance {
  const app = fastify({
    logger: false,
    trustProxy: false,
    bodyLimit: 64 * 1024,
    requestTimeout: 30_000,
    keepAliveTimeout: 5_000,
    forceCloseConnections: 'idle',
    http: { headersTimeout: 10_000, maxHeaderSize: 16_384 },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
    routerOptions: { querystringParser: (text) => ({ params: new URLSearchParams(text) }) },
    frameworkErrors: badUrl,
  });
  // What a plain HTML form or a simple cross-origin request can send is not taken.
  app.removeContentTypeParser('text/plain');
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send(body('not_found', `there is no ${request.method} ${pathOf(request)}; see GET /`)),
  );
  app.setErrorHandler((error, request, reply) => {
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    if (status < 500) return reply.code(status).send(body(codeOf(status), (error as Error).message));
    log.error({ err: error, method: request.method, path: pathOf(request) }, 'admin request failed');
    return reply.code(500).send(body('internal', 'an error of ours; the log says more'));
  });
  return app;
}

function badUrl(_error: unknown, _request: unknown, reply: FastifyReply): void {
  reply.code(400).send(body('bad_request', 'the URL is malformed'));
}

function addGuard(app: FastifyInstance, guard: Guard): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
    });
    const refusal = refusalOf(guard, request);
    if (refusal === null) return undefined;
    if (refusal.status === 401) reply.header('www-authenticate', 'Bearer realm="coalmine"');
    return reply.code(refusal.status).send(body(refusal.error, refusal.message));
  });
}

/** What a route does not say of itself is for those alone who pass every check. */
function refusalOf(guard: Guard, request: FastifyRequest): Refusal | null {
  const access: Access = request.routeOptions.config.access ?? 'full';
  switch (access) {
    case 'everyone':
      return null;
    case 'host':
      return guard.host(visitorOf(request));
    case 'full':
      return guard.full(visitorOf(request));
    default:
      return assertNever(access);
  }
}

function visitorOf(request: FastifyRequest): Visitor {
  const { headers, headersDistinct, socket } = request.raw;
  return {
    method: request.method,
    hosts: headersDistinct.host ?? [],
    localAddress: socket.localAddress,
    authorization: headers.authorization,
    origin: headers.origin,
    secFetchSite: headersDistinct['sec-fetch-site']?.[0],
  };
}

function codeOf(status: number): string {
  switch (status) {
    case 413:
      return 'too_large';
    case 415:
      return 'json_only';
    default:
      return 'bad_request';
  }
}

function body(error: string, message: string): ErrorBody {
  return { error, message };
}

function pathOf(request: FastifyRequest): string {
  const mark = request.url.indexOf('?');
  return mark < 0 ? request.url : request.url.slice(0, mark);
}

function urlOf({ address, family, port }: AddressInfo): string {
  const wildcard = address === '0.0.0.0' || address === '::';
  if (wildcard) return `http://127.0.0.1:${port}`;
  return family === 'IPv6' ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}

async function close(app: FastifyInstance, streams: Streams): Promise<void> {
  streams.close();
  const force = setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS);
  await app.close();
  clearTimeout(force);
}
