import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IssueCookie } from '../core/model.ts';

/** Cookies of the issuer's name that are tried; a request may carry any number. */
const MAX_TRIED = 8;

/** The first cookie of a name in a Cookie header; undefined where there is none. */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  const at = findCookie(header, name, 0);
  return at < 0 ? undefined : valueAt(header, at + name.length + 1);
}

/**
 * The id in the first cookie that the issuer signed, or ''. Several may have its
 * name: one of another path or domain, or one signed with an earlier secret, is
 * sent along and may stand first (RFC 6265 section 5.4).
 */
export function issuedIn(header: string | undefined, issuer: CookieIssuer): string {
  if (header === undefined) return '';
  const { name } = issuer;
  let at = findCookie(header, name, 0);
  for (let tried = 0; at >= 0 && tried < MAX_TRIED; tried++) {
    const id = issuer.verify(valueAt(header, at + name.length + 1));
    if (id !== '') return id;
    at = findCookie(header, name, at + name.length + 1);
  }
  return '';
}

/** Where the next cookie of a name begins; `from` is at the start of the header or inside a cookie that is passed over. -1: there is none. */
function findCookie(header: string, name: string, from: number): number {
  let at = from === 0 ? 0 : endAt(header, from) + 1;
  while (at < header.length) {
    let start = at;
    while (header.charCodeAt(start) === 32) start++;
    if (header.startsWith(name, start) && header.charCodeAt(start + name.length) === 61) return start;
    at = endAt(header, at) + 1;
  }
  return -1;
}

function endAt(header: string, from: number): number {
  const end = header.indexOf(';', from);
  return end < 0 ? header.length : end;
}

function valueAt(header: string, start: number): string {
  const value = header.slice(start, endAt(header, start)).trimEnd();
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}

const ID = /^[A-Za-z0-9_-]{22}$/;

/**
 * Ids for users who have none: 128 random bits and an HMAC-SHA256 of them, so
 * that nobody can choose a bucket by making up ids.
 */
export class CookieIssuer {
  readonly #spec: IssueCookie;

  constructor(spec: IssueCookie) {
    this.#spec = spec;
  }

  get name(): string {
    return this.#spec.name;
  }

  newId(): string {
    return randomBytes(16).toString('base64url');
  }

  /** The id inside a cookie's value, or '' where it is not one of ours. */
  verify(value: string): string {
    const dot = value.indexOf('.');
    if (dot < 0) return '';
    const id = value.slice(0, dot);
    if (!ID.test(id)) return '';
    const given = Buffer.from(value.slice(dot + 1));
    const right = Buffer.from(this.#sign(id));
    return given.length === right.length && timingSafeEqual(given, right) ? id : '';
  }

  /** The Set-Cookie value that hands an id out. */
  setCookie(id: string, secure: boolean): string {
    const { name, maxAgeS, domain } = this.#spec;
    return (
      `${name}=${id}.${this.#sign(id)}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Lax` +
      (domain === null ? '' : `; Domain=${domain}`) +
      (secure ? '; Secure' : '')
    );
  }

  #sign(id: string): string {
    return createHmac('sha256', this.#spec.secret).update(id).digest('base64url');
  }
}
