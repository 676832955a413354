import type { IncomingMessage } from 'node:http';
import { isTraceparent, newTraceparent } from './ids.ts';
import type { Peer } from './peers.ts';

/** Headers as a flat list: name, value, name, value. */
export type FlatHeaders = string[];

/** RFC 9110 section 7.6.1 and its predecessors: about this connection only. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** Taken off a request because the gateway answers for them itself or writes its own. */
const REWRITTEN_UP = new Set([
  ...HOP_BY_HOP,
  'host',
  'expect',
  'trailer',
  'via',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-request-id',
  'traceparent',
  'x-coalmine-shadow',
]);

const REWRITTEN_DOWN = new Set([...HOP_BY_HOP, 'x-request-id', 'x-coalmine-version', 'x-coalmine-failover']);

/** Nominated by a Connection header or not, these stay: they frame or route the message. */
const NEVER_NOMINATED = new Set(['content-length', 'host', 'content-type']);

/** Credentials that a shadow does not get unless asked for. */
const CREDENTIALS = new Set([
  'authorization',
  'cookie',
  'x-api-key',
  'api-key',
  'apikey',
  'x-auth-token',
  'x-goog-api-key',
  'x-amz-security-token',
  'ocp-apim-subscription-key',
]);

export interface UpstreamHeaderFacts {
  readonly req: IncomingMessage;
  readonly peer: Peer;
  /** As the client addressed it, with port. */
  readonly authority: string;
  readonly secure: boolean;
  readonly requestId: string;
  /** This process' name in Via. */
  readonly instance: string;
}

/**
 * The headers of the request to the upstream. What the client's Connection
 * header nominates goes first and ours are added after, so that a client cannot
 * nominate them away (CVE-2026-33805).
 */
export function upstreamHeaders(facts: UpstreamHeaderFacts): FlatHeaders {
  const { req, peer, authority, secure, requestId, instance } = facts;
  const raw = req.rawHeaders;
  const given = req.headers;
  const nominated = nominatedBy(given.connection);
  const out: FlatHeaders = ['host', authority];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    if (REWRITTEN_UP.has(name) || nominated?.has(name)) continue;
    out.push(name, raw[i + 1] as string);
  }
  const proto = secure ? 'https' : 'http';
  const hop = hopOf(peer, authority, proto);
  const before = peer.trusted ? given : NONE;
  out.push('x-forwarded-for', joined(before['x-forwarded-for'], peer.address));
  out.push('x-forwarded-host', text(before['x-forwarded-host']) ?? authority);
  out.push('x-forwarded-proto', text(before['x-forwarded-proto']) ?? proto);
  out.push('forwarded', joined(before.forwarded, hop));
  out.push('via', joined(given.via, `${req.httpVersion} ${instance}`));
  out.push('x-request-id', requestId);
  const trace = text(given.traceparent);
  out.push('traceparent', trace !== undefined && isTraceparent(trace) ? trace : newTraceparent());
  return out;
}

/** A copy in which the upstream is told of another parent; without what others told about a trace that is not gone on with. */
export function withTraceparent(headers: FlatHeaders, traceparent: string, keepState: boolean): FlatHeaders {
  const out: FlatHeaders = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name === 'traceparent' || (name === 'tracestate' && !keepState)) continue;
    out.push(name, headers[i + 1] as string);
  }
  out.push('traceparent', traceparent);
  return out;
}

const NONE: IncomingMessage['headers'] = {};

function text(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function joined(before: string | string[] | undefined, own: string): string {
  const list = Array.isArray(before) ? before.join(', ') : before;
  return list === undefined || list === '' ? own : `${list}, ${own}`;
}

/**
 * This hop in Forwarded. Nearly always that of the connection's last request: a text
 * put together anew is looked through and written more slowly than one that was used before.
 */
function hopOf(peer: Peer, authority: string, proto: 'http' | 'https'): string {
  const held = peer.hop;
  if (held?.authority === authority && held.proto === proto) return held.text;
  const joined = `for=${forwardedNode(peer.address)};host="${authority}";proto=${proto}`;
  // There and back makes one flat text of it.
  const text = Buffer.from(joined, 'latin1').toString('latin1');
  peer.hop = { authority, proto, text };
  return text;
}

/** RFC 7239 section 6: an IPv6 address in brackets and quotes. */
function forwardedNode(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address;
}

/** Whether a Via header names this process. */
export function hasPassed(via: string | undefined, instance: string): boolean {
  return via?.includes(instance) ?? false;
}

/** The shadow's copy of a request's headers. */
export function shadowHeaders(headers: FlatHeaders, keepCredentials: boolean): FlatHeaders {
  const out: FlatHeaders = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    // The length is stated anew from the copied body.
    if (name === 'content-length' || (!keepCredentials && CREDENTIALS.has(name))) continue;
    out.push(name, headers[i + 1] as string);
  }
  out.push('x-coalmine-shadow', '1');
  return out;
}

export interface DownstreamHead {
  readonly headers: FlatHeaders;
  /** -1 where the upstream named none. */
  readonly contentLength: number;
}

/** The upstream's headers without those that were about its own connection; values as bytes came (latin1). */
export function downstreamHead(raw: readonly (Buffer | string)[], status = 200): DownstreamHead {
  const headers: FlatHeaders = [];
  let contentLength = -1;
  let nominated: Set<string> | null = null;
  for (let i = 0; i < raw.length; i += 2) {
    const name = toText(raw[i] as Buffer | string);
    const lower = name.toLowerCase();
    if (REWRITTEN_DOWN.has(lower)) {
      if (lower === 'transfer-encoding') refuseCoding(toText(raw[i + 1] as Buffer));
      else if (lower === 'connection')
        nominated = merged(nominated, nominatedBy(toText(raw[i + 1] as Buffer)));
      continue;
    }
    const value = toText(raw[i + 1] as Buffer | string);
    if (lower === 'content-length') {
      // RFC 9110 section 8.6: a 204 must not carry one.
      if (status === 204) continue;
      contentLength = Number(value);
    }
    headers.push(name, value);
  }
  return { headers: nominated === null ? headers : without(headers, nominated), contentLength };
}

/** The upstream's answer cannot be passed on as valid HTTP. */
export class InvalidAnswer extends Error {
  readonly code = 'COALMINE_INVALID_ANSWER';
}

/** The parser has undone `chunked` and nothing else; what is left would be passed on without its name. */
function refuseCoding(coding: string): void {
  if (coding.toLowerCase() !== 'chunked') throw new InvalidAnswer('a transfer coding other than chunked');
}

/** Trailers, without what may not be one (RFC 9110 section 6.5.1). */
export function downstreamTrailers(raw: readonly (Buffer | string)[]): [string, string][] {
  const out: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = toText(raw[i] as Buffer | string);
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || NEVER_NOMINATED.has(lower) || lower === 'set-cookie') continue;
    out.push([name, toText(raw[i + 1] as Buffer | string)]);
  }
  return out;
}

function toText(value: Buffer | string): string {
  return typeof value === 'string' ? value : value.toString('latin1');
}

function nominatedBy(connection: string | undefined): Set<string> | null {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return null;
  const names = connection.toLowerCase().split(',');
  const set = new Set<string>();
  for (const name of names) {
    const trimmed = name.trim();
    if (trimmed !== '' && !NEVER_NOMINATED.has(trimmed)) set.add(trimmed);
  }
  return set;
}

function merged(one: Set<string> | null, other: Set<string> | null): Set<string> | null {
  if (one === null || other === null) return one ?? other;
  return new Set([...one, ...other]);
}

function without(headers: FlatHeaders, names: Set<string>): FlatHeaders {
  const out: FlatHeaders = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (!names.has((headers[i] as string).toLowerCase()))
      out.push(headers[i] as string, headers[i + 1] as string);
  }
  return out;
}
