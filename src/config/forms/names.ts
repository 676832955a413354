import type { KeySource } from '../../core/model.ts';
import { bad, good, type Reading } from './reading.ts';

/** RFC 9110, section 5.6.2: what header, cookie and method names are made of. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const MAX_NAME = 128;

/** Names of services, versions and cohorts: they become metric labels, header values and URL parts. */
export function readName(text: string): Reading<string> {
  if (/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(text)) return good(text);
  if (text.length > 63) return bad('is a name longer than 63 characters', 'shorten it');
  return bad(
    'is not a valid name',
    'use letters, digits and . _ - between them, beginning and ending with a letter or digit',
  );
}

/** Lower-case. */
export function readHeaderName(text: string): Reading<string> {
  return isToken(text)
    ? good(text.toLowerCase())
    : bad('is not a valid header name', 'write a name such as x-user-id');
}

export function readCookieName(text: string): Reading<string> {
  return isToken(text) ? good(text) : bad('is not a valid cookie name', 'write a name such as uid');
}

export function readQueryName(text: string): Reading<string> {
  return text.length > 0 && text.length <= MAX_NAME
    ? good(text)
    : bad(`must have from 1 to ${MAX_NAME} characters`, 'write the name of a query parameter');
}

/** Methods are case-sensitive, and all that are in use are in capitals. */
export function readMethod(text: string): Reading<string> {
  if (isToken(text) && text === text.toUpperCase()) return good(text);
  const upper = text.toUpperCase();
  return isToken(text)
    ? bad('must be in capital letters', `write ${upper}`)
    : bad('is not a method', 'write a method such as GET or POST');
}

/** Lower-case. */
export function readRegion(text: string): Reading<string> {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text)
    ? good(text.toLowerCase())
    : bad('is not a valid region', 'use letters, digits and . _ -, such as eu-west');
}

/** `header:x-user-id`, `cookie:uid`, `query:user`, `ip`. */
export function readKeySource(text: string): Reading<KeySource> {
  if (text === 'ip') return good({ kind: 'ip' });
  const colon = text.indexOf(':');
  const kind = text.slice(0, colon);
  const name = text.slice(colon + 1);
  switch (colon < 0 ? '' : kind) {
    case 'header':
      return withName('header', readHeaderName(name));
    case 'cookie':
      return withName('cookie', readCookieName(name));
    case 'query':
      return withName('query', readQueryName(name));
    default:
      return bad('is no source of a key', 'write header:NAME, cookie:NAME, query:NAME or ip');
  }
}

function withName(kind: 'header' | 'cookie' | 'query', name: Reading<string>): Reading<KeySource> {
  return name.ok ? good({ kind, name: name.value }) : name;
}

function isToken(text: string): boolean {
  return text.length <= MAX_NAME && TOKEN.test(text);
}
