import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { decode } from '../../src/control/store/codec.ts';
import type { RolloutState } from '../../src/core/rollout/state.ts';

/** Folders, ports and builds that outlive one process of the product. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export function tempFolder(t: Test): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'coalmine-e2e-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function stateFile(folder: string, service: string): string {
  return path.join(folder, '.coalmine', `${service}.json`);
}

/** What is stored of a rollout; throws where it is not sound. */
export function storedState(
  folder: string,
  service: string,
): { readonly state: RolloutState; readonly revision: number } {
  const decoded = decode(service, readFileSync(stateFile(folder, service)));
  if (decoded.kind === 'damaged') throw new Error(`the state of ${service} ${decoded.reason}`);
  return decoded;
}

/** A port that was free a moment ago, outside of the range that outgoing connections are given. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = net.createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    const { port: bound } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return bound;
  }
  throw new Error('no free port was found');
}

/** The product as `npm run build` makes it, for tests that start it many times: it is up sooner. */
export function builtProgram(t: Test): readonly string[] {
  if (process.env.COALMINE_TEST_DIST === '1' && existsSync(path.join(ROOT, 'dist/main.js'))) {
    return ['dist/main.js'];
  }
  const folder = tempFolder(t);
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const main = path.join(folder, 'dist/main.js');
  try {
    // tap would load itself into the compiler, which cannot bear that.
    const own = ['-u', 'NODE_OPTIONS', process.execPath, tsc];
    const args = ['-p', 'tsconfig.build.json', '--outDir', path.join(folder, 'dist')];
    execFileSync('env', [...own, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    // Types that do not fit are for the type check to tell.
    if (!existsSync(main)) throw error;
  }
  copyFileSync(path.join(ROOT, 'package.json'), path.join(folder, 'package.json'));
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'), 'dir');
  return [main];
}
