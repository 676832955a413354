/** The request target, normalised once; one path decides the route and is what is forwarded. */
export interface Target {
  /** Starts with `/`; no dot segments, no escaped unreserved characters. */
  readonly path: string;
  /** With its `?`, or ''. */
  readonly query: string;
  /** Of an absolute-form target, which RFC 9112 section 3.2.2 puts above the Host header; else ''. */
  readonly authority: string;
}

const NEEDS_WORK = /%|\\|\/\.|#/;
const UNRESERVED = /[A-Za-z0-9\-._~]/;

/** Origin form (`/path?query`) or absolute form (`http://host/path`); null for anything else. */
export function parseTarget(url: string): Target | null {
  if (url.charCodeAt(0) === 47) return fromOrigin(url, '');
  const scheme = /^https?:\/\//i.exec(url);
  if (scheme === null) return null;
  const start = scheme[0].length;
  let end = start;
  while (end < url.length && !'/?#'.includes(url[end] as string)) end++;
  const authority = url.slice(start, end);
  if (authority === '') return null;
  const rest = url.slice(end);
  return fromOrigin(rest.startsWith('/') ? rest : `/${rest}`, authority);
}

function fromOrigin(url: string, authority: string): Target | null {
  const mark = url.indexOf('?');
  const raw = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark);
  if (query.includes('#')) return null;
  if (!NEEDS_WORK.test(raw)) return { path: raw, query, authority };
  const path = normalisePath(raw);
  return path === null ? null : { path, query, authority };
}

// An upstream that decodes escaped slashes before it resolves dots would climb here.
const HIDDEN_CLIMB = /(?:\/|%2F|%5C)\.\.(?:\/|%2F|%5C|$)/;

/**
 * RFC 3986 section 6.2.2: decodes escaped unreserved characters, then removes
 * dot segments. Null for a broken escape, a NUL, a raw backslash or fragment, and
 * for a path that climbs above its root: each is read differently by different
 * servers, which is how a request leaves the prefix that it was let in by.
 */
export function normalisePath(raw: string): string | null {
  if (raw.includes('\\') || raw.includes('#')) return null;
  const decoded = decodeUnreserved(raw);
  if (decoded === null) return null;
  const out: string[] = [];
  const segments = decoded.slice(1).split('/');
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i] as string;
    const last = i === segments.length - 1;
    if (segment === '.') {
      if (last) out.push('');
    } else if (segment === '..') {
      if (out.pop() === undefined) return null;
      if (last) out.push('');
    } else {
      out.push(segment);
    }
  }
  const path = `/${out.join('/')}`;
  return HIDDEN_CLIMB.test(path) ? null : path;
}

function decodeUnreserved(raw: string): string | null {
  let valid = true;
  const decoded = raw.replace(/%(..?)?/g, (escaped, hex: string | undefined) => {
    if (hex === undefined || !/^[0-9a-fA-F]{2}$/.test(hex) || hex === '00') {
      valid = false;
      return escaped;
    }
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return UNRESERVED.test(char) ? char : escaped.toUpperCase();
  });
  return valid ? decoded : null;
}

// reg-name without percent-escapes, an IPv4 address, or a bracketed IPv6 address; then a port.
const AUTHORITY = /^(?:[A-Za-z0-9._~-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/;

/** Whether a Host value may be believed to be one: no list, no userinfo, no path, no markup. */
export function isAuthority(text: string): boolean {
  return AUTHORITY.test(text);
}

/** Lower-case host of an authority, without its port. */
export function hostOf(authority: string): string {
  const end = authority.endsWith(']') ? -1 : authority.lastIndexOf(':');
  return (end < 0 ? authority : authority.slice(0, end)).toLowerCase();
}

/** The first value of a query parameter, percent-decoded; undefined where it is absent or broken. */
export function queryParam(query: string, name: string): string | undefined {
  if (query.length < 2) return undefined;
  for (const part of query.slice(1).split('&')) {
    const equals = part.indexOf('=');
    const rawName = equals < 0 ? part : part.slice(0, equals);
    if (decodeParam(rawName) === name) return decodeParam(equals < 0 ? '' : part.slice(equals + 1));
  }
  return undefined;
}

function decodeParam(text: string): string | undefined {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
