import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';

export interface AccessSettings {
  readonly host: string;
  readonly port: number;
  readonly token: string | null;
  /** Names that the Host header may carry beside loopback names and the address connected to. */
  readonly allowedHosts: readonly string[];
}

/** What of a request decides whether it is let in. */
export interface Visitor {
  readonly method: string;
  /** All Host values, as they came. */
  readonly hosts: readonly string[];
  /** The address of ours that the connection came to. */
  readonly localAddress: string | undefined;
  readonly authorization: string | undefined;
  readonly origin: string | undefined;
  readonly secFetchSite: string | undefined;
}

export interface Refusal {
  readonly status: 401 | 403 | 421;
  readonly error: 'host_not_allowed' | 'unauthorized' | 'cross_origin';
  readonly message: string;
}

/** Says who is not let in; null: let in. */
export interface Guard {
  /** All three checks: for whatever tells or changes something. */
  full(visitor: Visitor): Refusal | null;
  /** Of the name alone: for what tells nothing, such as the page that asks for the token. */
  host(visitor: Visitor): Refusal | null;
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * Who may use the admin port. Three checks, in this order:
 *
 * 1. Host names us: a loopback name, the address connected to, or one of
 *    `allowedHosts`. A page under a name that was rebound to our address
 *    carries its own name here.
 * 2. The bearer token, wherever one is set; off loopback there must be one.
 * 3. A write comes from no page of another origin.
 *
 * Throws when the address is off loopback and there is no token.
 */
export function createGuard(settings: AccessSettings): Guard {
  const { token } = settings;
  if (token === null && !isLoopback(settings.host)) {
    throw new Error(`admin.listen is off loopback (${settings.host}); set admin.token as well`);
  }
  const tokenHash = token === null ? null : sha256(token);
  const names = new Set([...LOOPBACK_NAMES, ...settings.allowedHosts.map((name) => name.toLowerCase())]);
  const host = (visitor: Visitor): Refusal | null => {
    const name = hostName(visitor.hosts);
    const ours = name !== null && (names.has(name) || name === literal(visitor.localAddress));
    return ours ? null : wrongHost(visitor);
  };
  return {
    host,
    full(visitor) {
      const stranger = host(visitor);
      if (stranger !== null) return stranger;
      if (tokenHash !== null && !carries(visitor.authorization, tokenHash)) return NO_TOKEN;
      return SAFE_METHODS.has(visitor.method) || isOwnOrigin(visitor) ? null : CROSS_ORIGIN;
    },
  };
}

const NO_TOKEN: Refusal = {
  status: 401,
  error: 'unauthorized',
  message: 'send the token of admin.token as "Authorization: Bearer …"',
};
const CROSS_ORIGIN: Refusal = {
  status: 403,
  error: 'cross_origin',
  message: 'changes are not taken from pages of another origin',
};

function wrongHost({ hosts }: Visitor): Refusal {
  const told =
    hosts.length === 1 ? `Host ${JSON.stringify(hosts[0]?.slice(0, 100))}` : 'a request without one Host';
  return {
    status: 421,
    error: 'host_not_allowed',
    message: `${told} is not served here; use the address itself, or add the name to admin.allowedHosts`,
  };
}

/** Lower-case name without its port; null unless there is exactly one well-formed value. */
function hostName(hosts: readonly string[]): string | null {
  const [host] = hosts;
  if (host === undefined || hosts.length > 1) return null;
  return /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/.exec(host.toLowerCase())?.[1] ?? null;
}

/** An address as it stands in a Host header. */
function literal(address: string | undefined): string | null {
  if (address === undefined) return null;
  const plain = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
  return isIP(plain) === 6 ? `[${plain}]` : plain;
}

/** Digests have one length, so the comparison takes the same time wherever they differ. */
function carries(authorization: string | undefined, tokenHash: Buffer): boolean {
  const given = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  return given !== undefined && timingSafeEqual(sha256(given), tokenHash);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

/** Browsers say where a request comes from, programs do not. */
function isOwnOrigin({ origin, secFetchSite, hosts }: Visitor): boolean {
  if (secFetchSite !== undefined && secFetchSite !== 'same-origin' && secFetchSite !== 'none') return false;
  if (origin === undefined) return true;
  return /^https?:\/\/(.+)$/.exec(origin.toLowerCase())?.[1] === hosts[0]?.toLowerCase();
}
