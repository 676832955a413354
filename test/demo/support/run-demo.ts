import { demoCommand, type StartApp } from '../../../src/demo/demo.ts';
import type { RawDemoOptions } from '../../../src/demo/options.ts';
import { startStubFromEnv } from './stub-app.ts';

/**
 * The demo as a process, with the stub for a gateway. Options come as JSON in the first argument;
 * `fail` as the second lets the gateway fail to start. Writes the models' addresses and
 * the state folder to standard error.
 */
const raw = JSON.parse(process.argv[2] ?? '{}') as RawDemoOptions;

const startApp: StartApp = async (options) => {
  const { IRIS_V1_URL, IRIS_V2_URL, DEMO_STATE_DIR } = options.env;
  process.stderr.write(`models ${IRIS_V1_URL} ${IRIS_V2_URL} ${DEMO_STATE_DIR}\n`);
  if (process.argv[3] === 'fail') throw new Error('the port is taken');
  return startStubFromEnv(options);
};

process.exitCode = await demoCommand(raw, {
  output: process.stdout,
  complain: (text) => void process.stderr.write(text),
  env: process.env,
  startApp,
});
