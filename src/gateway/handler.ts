import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Assignment, type ChoiceInputs, choose, pinsRules, reasonIndex } from '../core/split/choose.ts';
import { findRoute } from '../core/split/route.ts';
import type { Tally } from '../core/tally.ts';
import { beginRequest } from '../tally/recorder.ts';
import { admit } from './admission.ts';
import { abandon, refuse } from './answer.ts';
import { ChunkedBodyLimit, watchBody } from './body-tap.ts';
import { issuedIn } from './cookies.ts';
import { Exchange } from './exchange.ts';
import { forward } from './forward.ts';
import type { Gate } from './gate.ts';
import { upstreamHeaders } from './headers.ts';
import { requestIdOf } from './ids.ts';
import { mirror } from './mirror.ts';
import type { ServiceRuntime } from './table.ts';
import { hostOf } from './target.ts';
import { beginTrace } from './trace.ts';

/** Longer bodies are streamed, so that nothing large is ever held. */
const WHOLE_BODY_BYTES = 16 * 1024;

/**
 * The life of a request, in order. Each phase either lets the exchange through
 * to the next or answers it; none waits, locks or does I/O before the upstream
 * is dialled.
 */
export function handle(
  gate: Gate,
  req: IncomingMessage,
  res: ServerResponse,
  expectsContinue: boolean,
): void {
  const x = new Exchange(gate, req, res, expectsContinue);
  // RFC 9112 section 9.6: after a Connection: close nothing more is processed.
  if (x.peer.connection.over) return;
  gate.inFlight++;
  x.table.view.inFlight++;
  res.on('close', () => closed(x));
  // The answer to a pipelined request has no socket until its turn; only the request is told of the end then.
  if (res.socket === null) req.once('close', () => closedWaiting(x));
  try {
    run(x);
  } catch (error) {
    blameOurselves(x, error);
  }
}

/** A fault of our own must not end the process, nor leave the client waiting for ever. */
function blameOurselves(x: Exchange, error: unknown): void {
  x.gate.log.error({ err: error, requestId: x.requestId }, 'the gateway failed on a request');
  refuse(x, 'gateway_error');
  x.attempt?.cancel();
}

/** The phases, in order. */
function run(x: Exchange): void {
  const { gate, req } = x;
  x.requestId = requestIdOf(x.header('x-request-id'));
  if (gate.spans !== null) x.trace = beginTrace(x, gate.spans);

  const refused = admit(x, gate.settings.limits, gate.instance);
  if (refused !== null) return refuse(x, refused);
  if (x.path === '*') return answerAsterisk(x);

  if (!route(x)) return refuse(x, 'no_route');
  assign(x);
  if (!screenBody(x)) return refuse(x, 'body_too_large');

  x.upstreamHeaders = upstreamHeaders({
    req,
    peer: x.peer,
    authority: x.authority === '' ? defaultAuthority(x) : x.authority,
    secure: x.secure,
    requestId: x.requestId,
    instance: gate.instance,
  });
  if (mayBeWhole(x)) process.nextTick(sendWhole, x);
  else send(x);
}

function send(x: Exchange): void {
  forward(x);
  mirror(x);
}

/** Whether the body is so short that most clients send it in one packet with the head. */
function mayBeWhole({ hasBody, expectsContinue, req }: Exchange): boolean {
  if (!hasBody || expectsContinue) return false;
  const length = req.headers['content-length'];
  return length !== undefined && Number(length) <= WHOLE_BODY_BYTES;
}

/**
 * Once the parser has come to the end of the packet's first piece of body: one that
 * is there whole goes on as one buffer, which costs an eighth less than a stream's
 * machinery; one that is still arriving is streamed.
 */
function sendWhole(x: Exchange): void {
  if (x.settled) return;
  try {
    const { req } = x;
    const here = req.readableLength === Number(req.headers['content-length']);
    x.body = here ? (req.read() as Buffer | null) : null;
    if (x.body === null) x.gate.uploads.add(x);
    send(x);
  } catch (error) {
    blameOurselves(x, error);
  }
}

/** HTTP/1.0 lets a client name no host; upstreams of HTTP/1.1 want one. */
function defaultAuthority(x: Exchange): string {
  const { groups } = x.runtime as ServiceRuntime;
  return groups[(x.assignment as Assignment).version]?.authority ?? '';
}

/** The client's connection closed, or the answer was handed over whole. */
function closed(x: Exchange): void {
  if (x.closed) return;
  x.closed = true;
  x.gate.inFlight--;
  x.table.view.inFlight--;
  if (!x.settled) abandon(x);
  x.sample?.dropClient();
}

/** The client's connection closed while the answer still had to wait for those before it. */
function closedWaiting(x: Exchange): void {
  if (x.res.socket === null && x.req.socket.destroyed) closed(x);
}

/** `OPTIONS *` asks about the server itself (RFC 9110 section 9.3.7), which is this gateway. */
function answerAsterisk(x: Exchange): void {
  x.settled = true;
  if (x.trace !== null) x.trace.end(x, 204, x.gate.clock.nowMs());
  x.res.writeHead(204, x.gate.draining ? ['connection', 'close'] : []);
  x.res.end();
}

/** Finds the service; false where none matches. */
export function route(x: Exchange): boolean {
  x.runtime = findRoute(x.table.routes, hostOf(x.authority), x.path);
  return x.runtime !== null;
}

/** Decides the version and counts the request under it; from here on it has a version to answer for it. */
export function assign(x: Exchange): Assignment {
  const runtime = x.runtime as ServiceRuntime;
  const { chooser, sessions, service } = runtime;
  const assignment = choose(chooser, x, new Inputs(x, runtime));
  const { key, rule, reason, version } = assignment;
  if (sessions !== null && key !== '' && reason !== 'session' && (rule < 0 || pinsRules(service))) {
    sessions.pin(service, key, version);
  }
  x.assignment = assignment;
  x.tally = runtime.tallies[assignment.version] as Tally;
  beginRequest(x.tally, reasonIndex(assignment.reason));
  return assignment;
}

/** What the choice may ask of the gateway. */
class Inputs implements ChoiceInputs {
  readonly #x: Exchange;
  readonly #runtime: ServiceRuntime;

  constructor(x: Exchange, runtime: ServiceRuntime) {
    this.#x = x;
    this.#runtime = runtime;
  }

  issuedId(): string {
    const { issuer } = this.#runtime;
    if (issuer === null) return '';
    const known = issuedIn(this.#x.req.headers.cookie, issuer);
    if (known !== '') return known;
    this.#x.newId = issuer.newId();
    return this.#x.newId;
  }

  pinned(key: string): number {
    return this.#runtime.sessions?.pinned(this.#runtime.service, key) ?? -1;
  }

  random(): number {
    return this.#x.gate.random();
  }
}

/** Bounds the body; one that states a length over the limit is refused before it is asked for. */
function screenBody(x: Exchange): boolean {
  if (!x.hasBody) return true;
  const { maxBodyBytes } = (x.runtime as ServiceRuntime).service;
  const { req, res } = x;
  const length = req.headers['content-length'];
  if (length !== undefined && Number(length) > maxBodyBytes) return false;
  if (length === undefined) watchBody(req, new ChunkedBodyLimit(req, maxBodyBytes, () => cutBody(x)));
  // Only when the upstream's writer asks for the body is the client told to send it.
  if (x.expectsContinue) {
    req.once('resume', () => {
      if (x.settled) return;
      x.expectsContinue = false;
      res.writeContinue();
    });
  }
  if (!mayBeWhole(x)) x.gate.uploads.add(x);
  return true;
}

function cutBody(x: Exchange): void {
  if (x.settled) return;
  refuse(x, 'body_too_large');
  x.attempt?.cancel();
}

/** An upload that stopped arriving (called by the sweep). */
export function cutStalled(x: Exchange): void {
  if (x.settled) return;
  refuse(x, 'body_timeout');
  x.attempt?.cancel();
  // Nothing more is waited for from this client.
  x.req.socket.destroySoon();
}
