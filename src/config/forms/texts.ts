import { bad, good, type Reading } from './reading.ts';

const MAX_LABEL = 128;
const MAX_URL = 2_048;

/** A name for people: any visible text on one line. */
export function readLabel(text: string): Reading<string> {
  if (text.trim() === '') return bad('must not be empty', 'write a name');
  if (text.length > MAX_LABEL) return bad(`is longer than ${MAX_LABEL} characters`, 'shorten it');
  return /\p{Cc}|\p{Cs}/u.test(text) ? bad('has a control character', 'write it on one line') : good(text);
}

/** What `Authorization: Bearer …` can carry: anything else would let nobody in. */
export function readBearerToken(text: string): Reading<string> {
  if (/^[\x21-\x7e]+$/.test(text)) return good(text);
  if (text !== text.trim()) {
    return bad(
      'begins or ends with a space or a line break',
      'take that away; a file that the token comes from may end with a line break',
    );
  }
  return bad(
    'has a character that no Authorization header can carry',
    'use letters, digits and - . _ ~ + / =, without spaces',
  );
}

/** An http or https URL, with path and query; as it is sent. */
export function readHttpUrl(text: string): Reading<string> {
  const example = 'write it like http://host:9090/path';
  if (!/^https?:\/\//i.test(text)) return bad('must begin with http:// or https://', example);
  if (text.length > MAX_URL) return bad(`is longer than ${MAX_URL} characters`, 'shorten it');
  if (/[^\x21-\x7e]|\\/.test(text))
    return bad('has characters that a URL cannot hold', 'percent-encode them');
  if (!URL.canParse(text)) return bad('is not a valid URL', example);
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    return bad('must not hold credentials', 'remove what stands before the @, and send it as a header');
  }
  if (text.includes('#')) return bad('must not have a fragment', 'end it before the #');
  return good(text);
}

/** The URL of a receiver of traces; with its path, for those who write only the host mean one that they do not write. */
export function readTraceUrl(text: string): Reading<string> {
  const reading = readHttpUrl(text);
  if (!reading.ok) return reading;
  const { origin, pathname } = new URL(text);
  return pathname === '/' ? bad('has no path', `write ${origin}/v1/traces`) : reading;
}

/** RFC 9110, section 5.5, with visible ASCII, spaces and tabs only. */
export function readHeaderValue(text: string): Reading<string> {
  return /^[\x20-\x7e\t]{0,8192}$/.test(text)
    ? good(text)
    : bad('is not a valid header value', 'use visible ASCII characters on one line');
}

/** What of a Rollout's own fields has a meaning here. */
export function readFieldPath(text: string): Reading<string> {
  if (text === 'metadata.name' || /^metadata\.labels(\['[^'\]]+'\]|\["[^"\]]+"\]|\.[\w./-]+)$/.test(text)) {
    return good(text);
  }
  return bad('is no field that is known here', 'write the value itself: value: …');
}
