import { readMatchHost } from '../forms/addresses.ts';
import { readPathPrefix } from '../forms/paths.ts';
import { type CanaryAsk, readCanaryAsk } from './canary.ts';
import type { Cursor } from './cursor.ts';
import { tellLost } from './fields.ts';
import type { Manifest } from './read.ts';
import { tellAnnotations } from './tables/annotations.ts';
import { INGRESS } from './tables/ingress.ts';

/** What an Ingress says that means something here. */
export interface IngressFacts {
  readonly manifest: Manifest;
  /** Null: the primary one. */
  readonly canary: CanaryAsk | null;
  readonly affinity: Affinity | null;
  /** As a size of the config; null: not given. */
  readonly maxBody: { readonly size: string; readonly at: Cursor } | null;
  readonly routes: readonly Route[];
}

export interface Route {
  /** Lower-case; null: any host. */
  readonly host: string | null;
  readonly path: string;
  readonly backend: Backend;
  readonly at: Cursor;
}

export interface Backend {
  readonly service: string;
  readonly namespace: string | null;
  /** Number, or the name of one; null: not given. */
  readonly port: number | string | null;
  readonly scheme: 'http' | 'https';
  readonly at: Cursor;
}

/** NGINX's affinity cookie. */
export interface Affinity {
  readonly cookie: string;
  readonly maxAgeS: number | null;
  readonly domain: string | null;
  /** False: `affinity-canary-behavior: legacy`, where the canary knows nothing of the cookie. */
  readonly pinsVersions: boolean;
  readonly at: Cursor;
}

export function readIngress(manifest: Manifest, annotationPrefix: string): IngressFacts {
  const { root } = manifest;
  const annotations = root.get('metadata', 'annotations');
  tellLost(root, INGRESS);
  tellAnnotations(annotations, annotationPrefix);
  const prefix = `${annotationPrefix}/`;
  const isCanary = annotations.get(`${prefix}canary`).scalarText() === 'true';
  if (!isCanary) noteIdle(annotations, `${prefix}canary-`, 'canary: "true"');
  return {
    manifest,
    canary: isCanary ? readCanaryAsk(annotations, prefix) : null,
    affinity: readAffinity(annotations, prefix),
    maxBody: readBodySize(annotations.get(`${prefix}proxy-body-size`)),
    routes: readRoutes(manifest, annotations, prefix),
  };
}

function readAffinity(annotations: Cursor, prefix: string): Affinity | null {
  const at = annotations.get(`${prefix}affinity`);
  const kind = at.scalarText();
  if (kind === null || kind === '') {
    noteIdle(annotations, `${prefix}session-cookie-`, 'affinity: cookie');
    noteIdle(annotations, `${prefix}affinity-canary-behavior`, 'affinity: cookie');
    return null;
  }
  if (kind !== 'cookie') {
    at.note('not carried over: NGINX knows the affinity `cookie` only');
    return null;
  }
  const behavior = annotations.get(`${prefix}affinity-canary-behavior`).scalarText();
  const age =
    annotations.get(`${prefix}session-cookie-max-age`).integer() ??
    annotations.get(`${prefix}session-cookie-expires`).integer();
  return {
    cookie: annotations.get(`${prefix}session-cookie-name`).scalarText() ?? 'INGRESSCOOKIE',
    maxAgeS: age !== null && age > 0 ? age : null,
    domain: annotations.get(`${prefix}session-cookie-domain`).scalarText(),
    pinsVersions: behavior !== 'legacy',
    at,
  };
}

/** Annotations that NGINX does not look at without another one. */
function noteIdle(annotations: Cursor, start: string, without: string): void {
  for (const [name, at] of annotations.children()) {
    if (name.startsWith(start)) at.note(`does nothing without ${without}`);
  }
}

/** NGINX counts in powers of two: `8m` is 8 MiB; 0 is no limit. */
function readBodySize(at: Cursor): IngressFacts['maxBody'] {
  const text = at.scalarText();
  if (text === null || text === '') return null;
  const parts = /^([0-9]{1,9})([kKmMgG]?)$/.exec(text);
  if (parts === null) {
    at.note('not carried over: it is no size as NGINX writes one');
    return null;
  }
  const [, digits = '', unit = ''] = parts;
  if (Number(digits) === 0) return { size: 'unlimited', at };
  return { size: `${Number(digits)}${unit === '' ? 'B' : `${unit.toUpperCase()}iB`}`, at };
}

function readRoutes(manifest: Manifest, annotations: Cursor, prefix: string): Route[] {
  const spec = manifest.root.get('spec');
  const scheme = readScheme(annotations.get(`${prefix}backend-protocol`));
  const rewriteAt = annotations.get(`${prefix}rewrite-target`);
  if (rewriteAt.present) {
    rewriteAt.note(
      'not carried over: paths are forwarded as they came, so the versions must answer the full path',
    );
  }
  const regex = rewriteAt.present || annotations.get(`${prefix}use-regex`).scalarText() === 'true';
  const routes: Route[] = [];
  const add = (host: string | null, path: string, backendAt: Cursor, at: Cursor) => {
    const backend = readBackend(backendAt, manifest.namespace, scheme);
    if (backend !== null) routes.push({ host, path, backend, at });
  };
  for (const rule of spec.get('rules').items()) {
    const host = readHost(rule.get('host'));
    for (const at of rule.get('http', 'paths').items()) add(host, readPath(at, regex), at.get('backend'), at);
  }
  const fallback = spec.get('defaultBackend');
  if (fallback.present) add(null, '/', fallback, fallback);
  if (routes.length === 0 && manifest.origin.problems.length === 0) spec.fail('leads to no backend');
  return routes;
}

function readScheme(at: Cursor): 'http' | 'https' {
  const protocol = at.scalarText()?.toUpperCase() ?? 'HTTP';
  if (protocol === 'HTTPS') return 'https';
  if (protocol === 'GRPC' || protocol === 'GRPCS' || protocol === 'FCGI' || protocol === 'AJP') {
    at.fail(`${protocol} cannot be carried over: Coalmine speaks HTTP/1.1 to its upstreams`);
  }
  return 'http';
}

function readHost(at: Cursor): string | null {
  const text = at.text();
  if (text === null || text === '') return null;
  const reading = readMatchHost(text);
  if (reading.ok) return reading.value;
  at.fail(`${reading.message}; ${reading.fix}`);
  return null;
}

/** A prefix on segment bounds, the only kind of path that a service matches. */
function readPath(at: Cursor, regex: boolean): string {
  const pathAt = at.get('path');
  const written = pathAt.text() ?? '/';
  const literal = regex ? literalPrefix(written) : written;
  if (literal !== written) pathAt.note(`a regular expression; the service matches all below ${literal}`);
  if (at.get('pathType').text() === 'Exact') {
    at.get('pathType').note(
      `not carried over: a service matches prefixes, so it answers below ${literal} too`,
    );
  }
  const reading = readPathPrefix(literal === '' ? '/' : literal);
  if (reading.ok) return reading.value;
  pathAt.fail(`${reading.message}; ${reading.fix}`);
  return '/';
}

/** The longest path, up to a segment bound, that every match of an expression begins with. */
function literalPrefix(expression: string): string {
  const text = expression.replace(/^\^/, '');
  const end = text.search(/[\\^$.|?*+()[\]{}]/);
  if (end < 0) return text;
  const literal = text.slice(0, end);
  const rest = text.slice(end);
  // `/predict(/|$)(.*)` and `/predict$`: the segment ends there.
  if (/^(\(\/\|\$\)|\$$)/.test(rest)) return trimSlash(literal);
  if (rest.includes('|')) return '/';
  return trimSlash(literal.slice(0, literal.lastIndexOf('/')));
}

function trimSlash(path: string): string {
  return path.replace(/\/+$/, '') || '/';
}

function readBackend(at: Cursor, namespace: string | null, scheme: 'http' | 'https'): Backend | null {
  const serviceAt = at.get('service');
  if (!serviceAt.present) {
    const old = at.get('serviceName').present;
    at.fail(
      old
        ? 'is written for a version of Ingress that clusters no longer take; write it as networking.k8s.io/v1'
        : 'names no Service',
    );
    return null;
  }
  const service = serviceAt.get('name').text();
  if (service === null) {
    serviceAt.fail('has no name');
    return null;
  }
  const port = serviceAt.get('port', 'number').integer() ?? serviceAt.get('port', 'name').text();
  return { service, namespace, port, scheme, at: serviceAt };
}
