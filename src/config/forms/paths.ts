import { bad, good, type Reading } from './reading.ts';

const MAX_PATH = 1_024;

/**
 * A path prefix as the gateway compares it: decoded, normalised, on segment
 * bounds. What could be spelled in two ways is refused, because a prefix that
 * never matches would send its users elsewhere in silence.
 */
export function readPathPrefix(text: string): Reading<string> {
  const plain = readPathText(text);
  if (!plain.ok) return plain;
  if (text.includes('//')) return bad('has an empty segment', `write ${text.replace(/\/{2,}/g, '/')}`);
  if (text.split('/').some((segment) => segment === '.' || segment === '..')) {
    return bad('has a . or .. segment', 'write the path that they lead to');
  }
  return good(text.length > 1 && text.endsWith('/') ? text.slice(0, -1) : text);
}

/** The beginning or whole of a request's path, to compare with. */
export function readPathText(text: string): Reading<string> {
  if (!text.startsWith('/')) return bad('must begin with /', `write /${text.slice(0, 40)}`);
  if (text.includes('%')) return bad('must not be percent-encoded', 'write the characters themselves');
  if (/[?#]/.test(text)) return bad('must not hold a query or fragment', 'end it before the ? or #');
  if (/[^\x21-\x7e]|\\/.test(text)) {
    return bad(
      'has characters that a path cannot hold',
      'use visible ASCII characters without the backslash',
    );
  }
  return text.length <= MAX_PATH
    ? good(text)
    : bad(`is longer than ${MAX_PATH} characters`, 'write a shorter prefix');
}

/** The target of a health check: a path, perhaps with a query, sent as it stands. */
export function readProbePath(text: string): Reading<string> {
  return /^\/[\x21-\x22\x24-\x7e]*$/.test(text) && text.length <= MAX_PATH
    ? good(text)
    : bad('is not a path to ask for', 'write a path such as /healthz, without spaces or #');
}
