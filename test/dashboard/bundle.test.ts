import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import t from 'tap';

/** What a browser is sent. */

const BUILD = fileURLToPath(new URL('../../src/dashboard/build.mjs', import.meta.url));
/** All of it, compressed. */
const MAX_BYTES = 150_000;

const folder = t.testdir();
execFileSync(process.execPath, [BUILD, folder], { env: { ...process.env, NODE_OPTIONS: '' } });
const files = readdirSync(folder);
const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');

t.test('it is four files, and small', async (t) => {
  t.strictSame(files.toSorted(), ['app.css', 'app.js', 'favicon.svg', 'index.html']);
  const sizes = (squeeze: (content: Buffer) => Buffer) =>
    files.reduce((sum, name) => sum + squeeze(readFileSync(path.join(folder, name))).length, 0);
  t.ok(sizes(brotliCompressSync) < MAX_BYTES, `brotli: ${sizes(brotliCompressSync)}`);
  t.ok(sizes(gzipSync) < MAX_BYTES, `gzip: ${sizes(gzipSync)}`);
});

/** Names, not places: nothing is fetched from them. */
const NAMESPACES =
  /^http:\/\/www\.w3\.org\/(2000\/svg|1999\/xhtml|1999\/xlink|1998\/Math\/MathML|XML\/1998\/namespace)$/;

t.test('it names no place outside', async (t) => {
  for (const name of files) {
    const outside = [...read(name).matchAll(/(?:https?:)?\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)+[^\s"'`)<>]*/gi)]
      .map(([url]) => url)
      // The licence of what is bundled names where that comes from.
      .filter((url) => !NAMESPACES.test(url) && !/^https:\/\/github\.com\/leeoniya\/uPlot/.test(url));
    t.strictSame(outside, [], name);
  }
  t.notMatch(read('app.css'), /url\(|@import/);
});

t.test('its policy can be strict: nothing is inline, nothing is evaluated', async (t) => {
  const html = read('index.html');
  t.notMatch(html, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/i);
  t.notMatch(html, /(?:src|href)="(?!dashboard\/)/, 'relative, so that it works below a path');
  const evaluated = /\beval\(|\bFunction\(|document\.write|setAttribute\("style"/g;
  // Only what was found is told, not the bundle.
  t.strictSame(
    [...read('app.js').matchAll(evaluated)].map(([found]) => found),
    [],
  );
});
