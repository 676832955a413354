import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of this run alone, so that every run begins a new rollout. */
export interface StateFolder {
  readonly path: string;
  /** Removes it with all that is in it. */
  close(): Promise<void>;
}

/** It goes also when the process ends without closing it, unless it is killed. */
export async function makeStateFolder(): Promise<StateFolder> {
  const path = await mkdtemp(join(tmpdir(), 'coalmine-demo-'));
  const onExit = () => rmSync(path, { recursive: true, force: true });
  process.once('exit', onExit);
  return {
    path,
    async close() {
      await rm(path, { recursive: true, force: true });
      process.off('exit', onExit);
    },
  };
}
