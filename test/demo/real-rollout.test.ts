import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { RawDemoOptions } from '../../src/demo/options.ts';

/** The demo with the real gateway, both models and the crowd, as a process of its own. */

const SCRIPT = fileURLToPath(new URL('./support/run-real-demo.ts', import.meta.url));

const TAKEN_BACK = /rollout: Degraded 0 %/;

interface Run {
  /** Resolves when the output matches; rejects when it is too late for that. */
  until(pattern: RegExp, tooLate: RegExp): Promise<void>;
  stateFolder(): string;
  /** Ends it as Ctrl-C does; the output and what it complained of. */
  end(): Promise<{ out: string; err: string }>;
}

function start(t: Test, raw: RawDemoOptions): Run {
  const options = { port: '0', adminPort: '0', rate: '300', ...raw };
  const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const texts = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    texts.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    texts.err += text;
  });
  const exit = once(child, 'close');
  return {
    async until(pattern, tooLate) {
      while (!pattern.test(texts.out)) {
        if (child.exitCode !== null || tooLate.test(texts.out)) {
          throw new Error(`never ${pattern}:\n${texts.out}${texts.err}`);
        }
        await Promise.race([once(child.stdout, 'data'), exit]);
      }
    },
    stateFolder: () => /^state (.*)$/m.exec(texts.err)![1]!,
    async end() {
      child.kill('SIGINT');
      t.same(await exit, [0, null]);
      return { out: texts.out, err: texts.err.replace(/^state .*\n/, '') };
    },
  };
}

t.test('a rollout is under way, and goes on by itself while v2 is as good as v1', async (t) => {
  const demo = start(t, {});
  await demo.until(/rollout: \S+ 5 % step 3\/8/, TAKEN_BACK);
  const files = await readdir(demo.stateFolder());
  t.same(
    files.filter((name) => !name.endsWith('.tmp')),
    ['iris-api.json'],
    'and what is being written',
  );
  await demo.until(/rollout: \S+ (25|50) % step [57]\/8/, TAKEN_BACK);
  const { out, err } = await demo.end();
  t.equal(err, '');
  // A busy machine may send the canary nobody for a while, which is told and holds.
  t.notMatch(out, / {2}! (?!gateway: rollout: held)/, 'the gateway has nothing to complain about');
  t.match(out, /^ {2}rollout {9}. \w+ at (25|50|100) %/m, 'the last picture has it too');
  t.notOk(existsSync(demo.stateFolder()), 'its state is gone');
});

t.test('a v2 that fails is taken back by itself, and the demo says why', async (t) => {
  const demo = start(t, { fault: 'errors' });
  await demo.until(TAKEN_BACK, /rollout: \S+ (25|50|100) %/);
  const { out, err } = await demo.end();
  t.equal(err, '');
  // A gate or the analysis, whichever is sooner; failures of mirrored requests are answers that differ.
  t.match(
    out,
    / {2}! gateway: rollout: (?:v2 (?:failed|answered) \d+ of \d+ (?:first|mirrored) requests|.*success-rate Failed: failed \(3\))/,
  );
  const picture = out.slice(out.lastIndexOf('  rollout  '));
  t.match(
    picture,
    /✖ Degraded at 0 %\n {2}because {9}.*(?:success-rate\s+Failed|v2 (?:failed|answered) \d+ of)/,
  );
  t.match(picture, /(?:values|evidence) [\d., ]+/, 'with the measurements');
  t.notOk(existsSync(demo.stateFolder()), 'its state is gone');
});
