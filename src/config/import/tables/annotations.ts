import type { Cursor } from '../cursor.ts';

/** The annotations of an Ingress, and what becomes of them. */

export const NGINX_PREFIX = 'nginx.ingress.kubernetes.io';

/** Read elsewhere in the import. */
const KEPT: ReadonlySet<string> = new Set([
  'canary',
  'canary-weight',
  'canary-weight-total',
  'canary-by-header',
  'canary-by-header-value',
  'canary-by-header-pattern',
  'canary-by-cookie',
  'affinity',
  'affinity-canary-behavior',
  'session-cookie-name',
  'session-cookie-max-age',
  'session-cookie-expires',
  'session-cookie-domain',
  'backend-protocol',
  'proxy-body-size',
  'use-regex',
  'rewrite-target',
]);

const TIMEOUTS = 'set `timeouts` under the service’s `upstream`, where they differ from the defaults';
const ELSEWHERE = 'Coalmine has no such setting; keep it in the proxy in front';
const COOKIE = 'the issued cookie is HttpOnly, SameSite=Lax, and Secure under TLS';

const LOST: ReadonlyMap<string, string> = new Map([
  ['affinity-mode', 'a version’s endpoints are balanced by their load; only the version sticks'],
  ['session-cookie-path', COOKIE],
  ['session-cookie-secure', COOKIE],
  ['session-cookie-samesite', COOKIE],
  ['session-cookie-conditional-samesite-none', COOKIE],
  ['session-cookie-change-on-failure', 'nobody changes the version because an endpoint failed'],
  ['session-cookie-hash', 'the version is chosen by Coalmine’s own hash'],
  ['upstream-hash-by', 'only the version sticks; see `sticky.by` for the key'],
  ['load-balance', 'each request goes to the endpoint with the fewest waiting'],
  ['mirror-target', 'write `mirror: { to: … }` with a version'],
  ['mirror-request-body', 'write `mirror: { to: … }` with a version'],
  ['mirror-host', 'write `mirror: { to: … }` with a version'],
  ['proxy-connect-timeout', TIMEOUTS],
  ['proxy-read-timeout', TIMEOUTS],
  ['proxy-send-timeout', TIMEOUTS],
  ['proxy-next-upstream', 'see `retry` under the service’s `upstream`'],
  ['proxy-next-upstream-tries', 'see `retry` under the service’s `upstream`'],
  ['proxy-next-upstream-timeout', 'see `retry` under the service’s `upstream`'],
  ['proxy-buffering', 'bodies are streamed'],
  ['proxy-buffer-size', 'bodies are streamed'],
  ['proxy-buffers-number', 'bodies are streamed'],
  ['proxy-request-buffering', 'bodies are streamed'],
  ['proxy-max-temp-file-size', 'bodies are streamed'],
  ['client-body-buffer-size', 'bodies are streamed'],
  ['proxy-http-version', 'upstreams are spoken to in HTTP/1.1'],
  ['ssl-redirect', 'Coalmine redirects nobody; let the proxy in front do it'],
  ['force-ssl-redirect', 'Coalmine redirects nobody; let the proxy in front do it'],
  ['ssl-passthrough', 'Coalmine reads the requests, so it cannot pass TLS through'],
  ['proxy-ssl-secret', 'see `tls` under the service’s `upstream`'],
  ['proxy-ssl-verify', 'upstream certificates are verified; see `tls` under the service’s `upstream`'],
  ['proxy-ssl-name', 'see `tls.serverName` under the service’s `upstream`'],
  ['proxy-ssl-server-name', 'see `tls.serverName` under the service’s `upstream`'],
  ['enable-access-log', 'see `log.accessLog`'],
  ['service-upstream', 'Coalmine always calls the Service’s address'],
]);

const BOOKKEEPING = 'bookkeeping of the cluster or of a tool';

/** Notes every annotation that is not carried over. */
export function tellAnnotations(annotations: Cursor, prefix: string): void {
  for (const [name, at] of annotations.children()) {
    const why = reasonOf(name, prefix);
    if (why !== null) at.note(`not carried over: ${why}`);
  }
}

/** Null: carried over. */
function reasonOf(name: string, prefix: string): string | null {
  const slash = name.indexOf('/');
  const domain = slash < 0 ? '' : name.slice(0, slash);
  const key = name.slice(slash + 1);
  if (domain === prefix) return KEPT.has(key) ? null : (LOST.get(key) ?? ELSEWHERE);
  if (name === 'kubernetes.io/ingress.class') return 'chooses an ingress controller';
  if (domain.endsWith('cert-manager.io')) return 'certificates are files here, named under `tls`';
  if (/(^|\.)(kubectl\.kubernetes\.io|helm\.sh|argocd\.argoproj\.io|toolkit\.fluxcd\.io)$/.test(domain)) {
    return BOOKKEEPING;
  }
  return 'import does not know this annotation';
}
