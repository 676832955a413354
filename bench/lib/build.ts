import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const OUT = join(ROOT, 'node_modules/.cache/coalmine-bench');

/**
 * Compiles origin, peers and clients to plain JavaScript, so that no TypeScript
 * loader adds to their memory or their start. Returns the folder they are in.
 */
export function buildPrograms(): string {
  runNpx(['tsc', '-p', 'bench/tsconfig.json']);
  // Below node_modules no package.json above is looked at.
  writeFileSync(join(OUT, 'package.json'), '{"type":"module"}\n');
  return OUT;
}

let product: string | Error | null = null;

/** Builds the product (once a run) when dist/ is missing or older than src/; returns its entry, or throws. */
export function buildProduct(): string {
  product ??= tryBuildProduct();
  if (product instanceof Error) throw product;
  return product;
}

function tryBuildProduct(): string | Error {
  const entry = join(ROOT, 'dist/main.js');
  if (existsSync(entry) && newestMs(join(ROOT, 'src')) <= statSync(entry).mtimeMs) return entry;
  const built = spawnSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, encoding: 'utf8' });
  if (built.status === 0 && existsSync(entry)) return entry;
  return new Error(`npm run build failed: ${built.stdout.split('\n').slice(0, 3).join('; ')}`);
}

function runNpx(args: readonly string[]): void {
  const done = spawnSync('npx', ['--no-install', ...args], { cwd: ROOT, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`npx ${args.join(' ')} failed:\n${done.stdout}${done.stderr}`);
}

function newestMs(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((newest, entry) => Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs), 0);
}
