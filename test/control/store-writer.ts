import { writeSync } from 'node:fs';
import { createFileStore } from '../../src/control/store/file-store.ts';
import { largeState } from '../support/rollout-state.ts';

/**
 * Saves states of several services without end, to be killed by the test. Says
 * `SERVICE NUMBER` once that save was acknowledged.
 */
export const SERVICES = ['small', 'middle', 'large', 'varied'];

/** What number `number` of a service looks like; its size differs from one to the next. */
export function stateNumber(service: string, number: number) {
  const bytes = { small: 1000, middle: 30_000, large: 400_000 }[service] ?? (number % 7) * 40_000 + 500;
  return { ...largeState(service, bytes), number };
}

async function write(dir: string, service: string): Promise<never> {
  const store = createFileStore(dir);
  const found = await store.load(service);
  if (found.kind === 'damaged') throw new Error(`${found.where} ${found.reason}`);
  let number = found.kind === 'found' ? found.state.number : 0;
  let revision = found.kind === 'found' ? found.revision : 0;
  for (;;) {
    number++;
    revision = await store.save(service, stateNumber(service, number), revision);
    // At once, past every buffer of this process.
    writeSync(1, `${service} ${number}\n`);
  }
}

const dir = process.env.STORE_WRITER_DIR;
if (dir !== undefined) await Promise.all(SERVICES.map((service) => write(dir, service)));
