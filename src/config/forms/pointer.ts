import { parsePointer } from '../../core/observe/pointer.ts';
import { bad, good, type Reading } from './reading.ts';

const MAX_CHARS = 512;
const MAX_PARTS = 32;

/**
 * A JSON Pointer (RFC 6901) as its parts: `/a/b`, and ours, `*` for every item
 * of a list. The empty text is the whole answer.
 */
export function readPointer(text: string): Reading<readonly string[]> {
  if (text === '') return good([]);
  if (/^\{?\$/.test(text)) return bad('is a JSONPath', 'write a JSON Pointer such as /data/items/*/label');
  if (text.startsWith('#')) return bad('must begin with /', 'leave out the #');
  if (!text.startsWith('/')) return bad('must begin with /', 'write it like /prediction or /items/*/label');
  if (text.length > MAX_CHARS) return bad(`is longer than ${MAX_CHARS} characters`, 'shorten it');
  const written = text.slice(1).split('/');
  if (written.length > MAX_PARTS) return bad(`has more than ${MAX_PARTS} parts`, 'shorten it');
  let at = 1;
  for (const part of written) {
    if (part === '') return bad('has an empty part', 'remove the / too many', at - 1);
    const tilde = part.search(/~(?![01])/);
    if (tilde >= 0) return bad('has a ~ that stands for nothing', 'write ~0 for ~ and ~1 for /', at + tilde);
    at += part.length + 1;
  }
  const parts = parsePointer(text);
  return parts === null ? bad('is not a JSON Pointer', 'write it like /prediction') : good(parts);
}
