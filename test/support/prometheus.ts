import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { within } from './wait.ts';

export interface RealPrometheus {
  readonly url: string;
  /** SIGTERM, and the end of it and its folder. */
  stop(): Promise<void>;
}

/** A real Prometheus on a port of its own choice; `config` is its whole file. Guard with requireTool('prometheus'). */
export async function startPrometheus(config: string): Promise<RealPrometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'coalmine-prometheus-'));
  const file = join(folder, 'prometheus.yml');
  await writeFile(file, config);
  const child = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
      '--log.level=info',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const stop = async () => {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null;
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return { url: await within(listeningUrl(child), 'Prometheus tells where it listens', 30_000), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A config that scrapes one target, very often. */
export function scraping(target: string, interval = '200ms'): string {
  return `
global: { scrape_interval: ${interval}, scrape_timeout: ${interval} }
scrape_configs:
  - job_name: coalmine
    static_configs: [{ targets: ['${target}'] }]
`;
}

async function listeningUrl(child: ChildProcess): Promise<string> {
  const failed = once(child, 'error').then(([error]) => Promise.reject(error));
  const search = (async () => {
    for await (const line of createInterface({ input: child.stderr as NodeJS.ReadableStream })) {
      const found = /msg="Listening on" address=(\S+)/.exec(line);
      if (found !== null) {
        // Read on, so that it never waits for a full pipe.
        child.stderr?.resume();
        return `http://${found[1]}`;
      }
    }
    throw new Error('Prometheus ended');
  })();
  return Promise.race([search, failed]);
}
