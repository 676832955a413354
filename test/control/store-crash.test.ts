import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { createFileStore } from '../../src/control/store/file-store.ts';
import { sleep, within } from '../support/wait.ts';
import { SERVICES, stateNumber } from './store-writer.ts';

const WRITER = fileURLToPath(new URL('store-writer.ts', import.meta.url));
const KILLS = 10;

/** Runs a writer until a moment that nobody chose, kills it, and gives the last number each service acknowledged. */
async function writeAndKill(dir: string): Promise<Map<string, number>> {
  const child = spawn(process.execPath, ['--import', 'tsx', WRITER], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '', STORE_WRITER_DIR: dir },
  });
  let said = '';
  const first = once(child.stdout, 'data');
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const closed = once(child, 'close');
  try {
    await within(Promise.race([first, closed]), 'the first save of the writer', 30_000);
    await sleep(Math.random() * 60);
  } finally {
    child.kill('SIGKILL');
  }
  const [, signal] = await closed;
  if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself: ${signal}`);
  const acknowledged = new Map<string, number>();
  for (const line of said.split('\n').slice(0, -1)) {
    const [service = '', number] = line.split(' ');
    acknowledged.set(service, Number(number));
  }
  return acknowledged;
}

t.test('killed at any moment, the last acknowledged state or the one after it is there', async (t) => {
  const dir = join(t.testdir({}), 'state');
  const store = createFileStore(dir);
  const reached = new Map(SERVICES.map((service) => [service, 0]));
  let unacknowledged = 0;
  let leftovers = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const acknowledged = await writeAndKill(dir);
    leftovers += readdirSync(dir).filter((name) => name.endsWith('.tmp')).length;
    for (const service of SERVICES) {
      const least = acknowledged.get(service) ?? reached.get(service) ?? 0;
      const found = await store.load(service);
      if (found.kind === 'none' && least === 0) continue;
      if (found.kind !== 'found') throw new Error(`${service} after kill ${kill}: ${JSON.stringify(found)}`);
      const { number } = found.state;
      if (number !== least && number !== least + 1)
        t.fail(`${service}: ${number} found, ${least} acknowledged`);
      if (number > least) unacknowledged++;
      t.strictSame(found.state, stateNumber(service, number));
      reached.set(service, number);
    }
    t.strictSame(
      readdirSync(dir).filter((name) => name.endsWith('.tmp')),
      [],
      'loading has tidied up',
    );
  }
  t.ok([...reached.values()].every((number) => number > KILLS / 2));
  t.comment(`${leftovers} writes cut short, ${unacknowledged} done and not acknowledged, reached`, reached);
  t.ok(leftovers + unacknowledged > 0, 'some kill hit a write');
});
