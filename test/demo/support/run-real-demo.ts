import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApp } from '../../../src/app.ts';
import { demoCommand, type StartApp } from '../../../src/demo/demo.ts';
import type { RawDemoOptions } from '../../../src/demo/options.ts';

/**
 * The demo with the real gateway, whose rollout walks five times as fast. How slow answers may be is widened, so
 * that a busy machine does not abort a good version. Options come as JSON in the first argument. Writes the
 * state folder to standard error.
 */
const LIMIT = 'result <= 100';

const folder = await mkdtemp(join(tmpdir(), 'coalmine-demo-test-'));

const startFast: StartApp = async (options) => {
  process.stderr.write(`state ${options.env.DEMO_STATE_DIR}\n`);
  const text = await readFile(options.configFile, 'utf8');
  if (!text.includes(LIMIT)) throw new Error(`${options.configFile} has no ${LIMIT}`);
  const configFile = join(folder, 'demo.yaml');
  await writeFile(configFile, text.replace(LIMIT, 'result <= 60000'));
  return startApp({ ...options, configFile, timeScale: 5 });
};

try {
  process.exitCode = await demoCommand(JSON.parse(process.argv[2] ?? '{}') as RawDemoOptions, {
    output: process.stdout,
    complain: (text) => void process.stderr.write(text),
    env: process.env,
    startApp: startFast,
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}
