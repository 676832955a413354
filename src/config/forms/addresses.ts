import { bad, good, type Reading } from './reading.ts';

const HOST_LABEL = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?';
const HOST = new RegExp(`^${HOST_LABEL}(\\.${HOST_LABEL})*$`);
const MAX_HOST = 253;

export interface HostPort {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/** `0.0.0.0:8080`, `localhost:8080`, `[::]:8080`; port 0 lets the system choose. */
export function readListen(text: string): Reading<HostPort> {
  const fix = 'write an address and a port such as 0.0.0.0:8080, 127.0.0.1:8080 or [::]:8080';
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text);
  if (parts === null) return bad('must be an address and a port', fix);
  const [, six, other, digits] = parts;
  const port = Number(digits);
  if (port > 65_535) return bad('has a port above 65535', 'use a port from 0 to 65535');
  if (six !== undefined) {
    const host = canonicalIpv6(six);
    return host === null ? bad('has no IPv6 address between the brackets', fix) : good({ host, port });
  }
  const host = (other ?? '').toLowerCase();
  if (host === '') return bad('names no address', `write 0.0.0.0:${port} to listen on every interface`);
  return isHostName(host) ? good({ host, port }) : bad('has no valid address before the port', fix);
}

/** Whether only this machine can reach a listener on that host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.[0-9]{1,3}){3}$/.test(host);
}

/** A host that requests may name: `api.example.com`, `*.example.com`, an address. Lower-case. */
export function readMatchHost(text: string): Reading<string> {
  if (text === '*') return bad('matches every host', 'leave `host` out to match every host');
  if (!text.startsWith('*.')) return readHost(text);
  const rest = readHost(text.slice(2));
  return rest.ok ? good(`*.${rest.value}`) : rest;
}

/** A host name or address without a port. Lower-case; IPv6 in brackets. */
export function readHost(text: string): Reading<string> {
  const host = text.toLowerCase();
  if (host.startsWith('[') && host.endsWith(']')) {
    const six = canonicalIpv6(host.slice(1, -1));
    if (six !== null) return good(`[${six}]`);
  }
  if (host.includes('://'))
    return bad('must be a host, not a URL', 'write only the host, such as api.example.com');
  if (/^[^:]+:[0-9]+$/.test(host)) {
    return bad('must not have a port', `write ${host.slice(0, host.indexOf(':'))}; any port matches`);
  }
  if (host.includes('*')) {
    return bad(
      'has a * in the wrong place',
      'a wildcard stands first and for whole labels, such as *.example.com',
    );
  }
  if (isHostName(host)) return good(host);
  if (/[^\x20-\x7e]/.test(host)) {
    return bad('has letters that a Host header cannot hold', 'write the name in its ASCII form (xn--…)');
  }
  return bad('is not a valid host name', 'write a host such as api.example.com or *.example.com');
}

function isHostName(host: string): boolean {
  if (host.length > MAX_HOST || !HOST.test(host)) return false;
  // Names that end in a number are addresses to every client (WHATWG URL), so they must be whole ones.
  return /(^|\.)[0-9]+$/.test(host) ? isIpv4(host) : true;
}

/** `http://host:port` or https; the answer is the origin as URLs spell it. */
export function readOrigin(text: string): Reading<string> {
  const example = 'write scheme, host and port only, such as http://iris-v1:8080';
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return bad('must begin with http:// or https://', example);
  if (scheme !== 'http' && scheme !== 'https') {
    return bad('has a scheme that cannot be forwarded to', 'write http:// or https://');
  }
  const rest = text.slice(scheme.length + 3);
  if (rest.includes('@')) {
    return bad('must not hold credentials', 'remove what stands before the @; they would show in logs');
  }
  const end = rest.search(/[/?#\\]/);
  if (end >= 0 && rest.slice(end) !== '/') {
    return bad(
      'must not have a path or a query',
      'write the origin only; the request’s own path is forwarded',
    );
  }
  const authority = end < 0 ? rest : rest.slice(0, end);
  const host = /^(\[[0-9A-Fa-f:.]+\]|[^:]*)(?::[0-9]{1,5})?$/.exec(authority)?.[1]?.toLowerCase() ?? '';
  // Checked before the URL parser, which takes 1.2.3 for 1.2.0.3 and drops tabs.
  if (!host.startsWith('[') && !isHostName(host)) return bad('is not a valid URL', example);
  if (!URL.canParse(text)) return bad('is not a valid URL', example);
  if (/:0+$/.test(authority)) return bad('has port 0', 'write the port that the version listens on');
  return good(new URL(text).origin);
}

const NAMED_RANGES = new Map<string, readonly string[]>([
  ['loopback', ['127.0.0.0/8', '::1/128']],
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']],
]);

/** An address, a CIDR range, or the name of well-known ones, as CIDR ranges. */
export function readRange(text: string): Reading<readonly string[]> {
  const known = NAMED_RANGES.get(text);
  if (known !== undefined) return good(known);
  const fix = 'write an address or range such as 10.0.0.0/8 or fd00::/8, or the name loopback or private';
  const parts = /^([0-9A-Fa-f:.]+)(?:\/([0-9]{1,3}))?$/.exec(text);
  const address = parts?.[1] ?? '';
  const six = canonicalIpv6(address);
  if (six === null && !isIpv4(address)) return bad('is neither an address range nor a known name', fix);
  const widest = six === null ? 32 : 128;
  const bits = parts?.[2] === undefined ? widest : Number(parts[2]);
  if (bits > widest) return bad(`has a prefix longer than ${widest} bits`, fix);
  if (bits === 0) {
    return bad(
      'trusts every address there is',
      'name the proxies in front; anybody could forge their address otherwise',
    );
  }
  return good([`${six ?? address}/${bits}`]);
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return (
    parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255)
  );
}

/** The RFC 5952 spelling, or null. The URL parser knows the grammar; zones (`%eth0`) are not for config. */
function canonicalIpv6(text: string): string | null {
  if (!/^[0-9A-Fa-f:.]{2,45}$/.test(text) || !text.includes(':')) return null;
  const url = `http://[${text}]/`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : null;
}
