import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Encoding } from './negotiate.ts';

/** One file of the page, read and compressed once. */
export interface PageFile {
  readonly contentType: string;
  readonly forms: Readonly<Record<Encoding, { readonly body: Buffer; readonly etag: string }>>;
}

/** By file name, such as `app.js`; empty where the page was not built. */
export type PageFiles = ReadonlyMap<string, PageFile>;

export const INDEX_HTML = 'index.html';

const TYPES = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.ico', 'image/x-icon'],
  ['.woff2', 'font/woff2'],
  ['.json', 'application/json; charset=utf-8'],
  ['.webmanifest', 'application/manifest+json'],
  ['.txt', 'text/plain; charset=utf-8'],
]);

/**
 * Reads the files of a folder, without those in folders below it and without what has none of the
 * endings of a page. Resolves with no files where there is no such folder or no `index.html` in it;
 * rejects where a file cannot be read.
 */
export async function readPageFiles(folder: string): Promise<PageFiles> {
  const names = await namesIn(folder);
  if (!names.includes(INDEX_HTML)) return new Map();
  const files = await Promise.all(
    names.map(async (name) => [name, await pageFile(name, await readFile(path.join(folder, name)))] as const),
  );
  return new Map(files);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && TYPES.has(path.extname(entry.name)))
      .map(({ name }) => name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function pageFile(name: string, body: Buffer): Promise<PageFile> {
  const hash = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  const form = (encoded: Buffer, suffix: string) => ({ body: encoded, etag: `"${hash}${suffix}"` });
  const [br, gz] = await Promise.all([brotli(body), gzipped(body)]);
  return {
    contentType: TYPES.get(path.extname(name)) ?? 'application/octet-stream',
    forms: { identity: form(body, ''), br: form(br, '-br'), gzip: form(gz, '-gz') },
  };
}

/** The highest qualities take ten times as long, a gateway waits for this as it starts, and they save a twentieth. */
const BROTLI_QUALITY = 9;

function brotli(body: Buffer): Promise<Buffer> {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
  };
  return promisify(brotliCompress)(body, { params });
}

function gzipped(body: Buffer): Promise<Buffer> {
  return promisify(gzip)(body, { level: constants.Z_BEST_COMPRESSION });
}
