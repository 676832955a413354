import type { Test } from 'tap';
import type { AccessSettings } from '../../src/admin/auth.ts';
import { startAdmin } from '../../src/admin/server.ts';
import { runCli } from '../../src/cli/main.ts';
import { compilePattern } from '../../src/config/pattern.ts';
import { createControlApi } from '../../src/control/api.ts';
import { createHolder, type Holder } from '../../src/control/holder.ts';
import type { Service } from '../../src/core/model.ts';
import { config, memoryLog } from '../control/support.ts';
import { split } from '../support/split.ts';

/** The command line in this process, and an admin port with the real control path behind it. */

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What the long commands were started with. */
  readonly started: readonly object[];
}

export async function cli(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  const text = { out: '', err: '' };
  const started: object[] = [];
  const start = async (options: object) => {
    started.push(options);
    return 0;
  };
  const io = {
    out: (part: string) => {
      text.out += part;
    },
    err: (part: string) => {
      text.err += part;
    },
    env,
    version: '1.2.3',
  };
  const code = await runCli(args, io, { run: start, demo: start });
  return { code, ...text, started };
}

export interface TestServer {
  readonly url: string;
  readonly holder: Holder;
}

export async function startServer(
  t: Test,
  services: readonly Service[],
  access: Partial<AccessSettings> = {},
): Promise<TestServer> {
  const log = memoryLog();
  const holder = createHolder(split(services), config({ services }));
  const control = createControlApi({
    holder,
    phase: () => 'ready',
    reloadState: () => ({ ok: 0, failed: 0, failure: null, restartNeeded: [] }),
    endpoints: () => [],
    compilePattern,
    log,
  });
  const metrics = { contentType: () => 'text/plain', render: async () => '' };
  const settings = { host: '127.0.0.1', port: 0, token: null, allowedHosts: [], ...access };
  const admin = await startAdmin(settings, { control, metrics, log });
  t.teardown(() => admin.close());
  return { url: admin.url, holder };
}
