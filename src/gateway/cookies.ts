import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IssueCookie } from '../core/model.ts';

/** The first cookie of a name in a Cookie header; undefined where there is none. */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  let at = 0;
  while (at < header.length) {
    let end = header.indexOf(';', at);
    if (end < 0) end = header.length;
    let start = at;
    while (header.charCodeAt(start) === 32) start++;
    if (header.startsWith(name, start) && header.charCodeAt(start + name.length) === 61) {
      const value = header.slice(start + name.length + 1, end).trimEnd();
      return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    }
    at = end + 1;
  }
  return undefined;
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
