import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { buildPage } from '../browser.ts';
import { within } from '../wait.ts';

const SCRIPT = fileURLToPath(new URL('../../demo/support/run-real-demo.ts', import.meta.url));

/** The demo with its real gateway, five times as fast. Resolves with the address of the dashboard that it prints. */
export async function startDemo(t: Test, fault: string): Promise<string> {
  buildPage();
  const options = JSON.stringify({ port: '0', adminPort: '0', rate: '200', fault });
  const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, options], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const exit = once(child, 'close');
  t.teardown(async () => {
    child.kill('SIGINT');
    await exit;
  });
  let out = '';
  const address = new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      const found = /^ {2}dashboard {2}(http:\S+)$/m.exec(out);
      if (found !== null) resolve(found[1] as string);
    });
    void exit.then(() => reject(new Error(`the demo ended: ${out}`)));
  });
  return within(address, 'the address of the dashboard', 30_000);
}
