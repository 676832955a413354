import { createHash } from 'node:crypto';

/** Most file systems allow 255 bytes; a temporary file's name is longer by its suffix. */
const MAX_STEM_BYTES = 180;
const SUFFIX = '.json';

/** The name of a service's state file: the service's own, with what a file system could misread as %XX. */
export function fileNameOf(service: string): string {
  const stem = [...Buffer.from(service, 'utf8')].map(encodeByte).join('');
  if (stem.length <= MAX_STEM_BYTES) return `${stem || '%'}${SUFFIX}`;
  const digest = createHash('sha256').update(service).digest('hex');
  return `${stem.slice(0, MAX_STEM_BYTES - digest.length - 1)}%${digest}${SUFFIX}`;
}

/** A leading dot hides a file, and two of them name a folder. */
function encodeByte(byte: number, index: number): string {
  const char = String.fromCharCode(byte);
  const plain = index === 0 ? /[A-Za-z0-9_-]/ : /[A-Za-z0-9._-]/;
  return plain.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** A name beside the state file; `token` is 12 hex digits, new for every write. */
export function tempNameOf(fileName: string, token: string): string {
  return `${fileName}.${token}.tmp`;
}

/** Whether `name` is what a write of `fileName` left behind. */
export function isTempOf(fileName: string, name: string): boolean {
  return name.startsWith(`${fileName}.`) && /^[0-9a-f]{12}\.tmp$/.test(name.slice(fileName.length + 1));
}
