import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Bundles the dashboard into `dist/dashboard`, or into the folder given as the first argument. */

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const out = process.argv[2] ?? here('../../dist/dashboard');

const { outputFiles } = await build({
  entryPoints: [
    { in: here('main.tsx'), out: 'app' },
    { in: here('style/index.css'), out: 'app' },
  ],
  outdir: out,
  write: false,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome123', 'firefox120', 'safari17.5'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  // Licences of what is bundled stay with it.
  legalComments: 'eof',
  logLevel: 'warning',
});

await mkdir(out, { recursive: true });
for (const { path: file, contents } of outputFiles) await put(file, contents);
for (const name of ['index.html', 'favicon.svg']) await put(path.join(out, name), await readFile(here(name)));

/** Renamed into place, so that a gateway that is starting meets no half of a file. */
async function put(file, contents) {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, contents);
  await rename(draft, file);
}
