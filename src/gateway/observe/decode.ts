import zlib from 'node:zlib';
import type { Capture } from './capture.ts';

/** A body without its content coding, or why there is none. */
export type Decoded =
  /** `unpacked`: the bytes are others than the ones that came. */
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly unpacked: boolean }
  | { readonly kind: 'too_large' }
  | { readonly kind: 'unreadable' };

type Unpack = (bytes: Buffer, options: { maxOutputLength: number }, done: zlib.CompressCallback) => void;

const CODINGS = new Map<string, Unpack>([
  ['gzip', zlib.gunzip],
  ['x-gzip', zlib.gunzip],
  ['deflate', inflate],
  ['br', zlib.brotliDecompress],
]);

export function isEncoded({ head }: Capture): boolean {
  return head.encoding !== '' && head.encoding !== 'identity';
}

/** Undoes the content coding in zlib's threads; `done` is called once, later. */
export function decode(capture: Capture, maxBytes: number, done: (decoded: Decoded) => void): void {
  const unpack = CODINGS.get(capture.head.encoding);
  if (unpack === undefined) {
    setImmediate(done, { kind: 'unreadable' });
    return;
  }
  unpack(capture.body(), { maxOutputLength: maxBytes }, (error, bytes) => {
    if (error === null) done({ kind: 'bytes', bytes, unpacked: true });
    else done({ kind: isTooLarge(error) ? 'too_large' : 'unreadable' });
  });
}

/** RFC 9110 section 8.4.1.2: `deflate` is the zlib format; some servers send it bare. */
function inflate(bytes: Buffer, options: { maxOutputLength: number }, done: zlib.CompressCallback): void {
  const wrapped = ((bytes[0] ?? 0) & 0x0f) === 8;
  (wrapped ? zlib.inflate : zlib.inflateRaw)(bytes, options, done);
}

function isTooLarge(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
}
