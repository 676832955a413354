#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import type { Io } from './cli/io.ts';
import { runCli } from './cli/main.ts';
import { holdSignals } from './shutdown.ts';

/** The process: argv and environment in, signals, exit code out. */

// V8 learns at start-up that some objects live long and then allocates their kind in
// old space for good; under load these are a request's, and each keeps its whole
// request alive until the next full collection. Without that, a scavenge keeps
// 0.1 MB instead of 3 MB of 12 and takes a tenth of the time.
setFlagsFromString('--no-allocation-site-pretenuring');

const io: Io = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  env: process.env,
  version: versionOfPackage(),
};

// The reader of a pipe may leave early (`coalmine schema | head`); that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

let ranLong = false;

// The gateway and the demo are imported only when they run: the other commands start faster.
process.exitCode = await runCli(process.argv.slice(2), io, {
  async run({ configFile, timeScale }) {
    ranLong = true;
    // A reload or an end that is asked for while it starts must not kill it half-way.
    const held = holdSignals(process, (code) => process.exit(code));
    const { runGateway } = await import('./run.ts');
    return runGateway(configFile, io, held, timeScale);
  },
  async demo(options) {
    ranLong = true;
    const { startApp } = await import('./app.ts');
    const { demoCommand } = await import('./demo/demo.ts');
    return demoCommand(options, { output: process.stdout, complain: io.err, env: io.env, startApp });
  },
});

// After a drain nothing that was forgotten may hold the process; the log is written out at exit.
if (ranLong) process.exit();

function versionOfPackage(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return version as string;
}
