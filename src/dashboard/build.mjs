import { copyFile, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Bundles the dashboard into `dist/dashboard`, or into the folder given as the first argument. */

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = process.argv[2] ?? here('../../dist/dashboard');

await mkdir(out, { recursive: true });
await build({
  entryPoints: [
    { in: here('main.tsx'), out: 'app' },
    { in: here('style/index.css'), out: 'app' },
  ],
  outdir: out,
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
for (const name of ['index.html', 'favicon.svg']) await copyFile(here(name), `${out}/${name}`);
