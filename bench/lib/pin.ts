import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Which processors the proxy and the rest (origin, load) run on; null: not pinned. */
export interface Pinning {
  readonly proxy: string | null;
  readonly load: string | null;
  /** Why the figures are worth less, or null. */
  readonly warning: string | null;
}

/** Pins the proxy to the first processor allowed to us and everything else to the others. */
export function findPinning(): Pinning {
  const cpus = allowedCpus();
  if (spawnSync('taskset', ['--version']).error !== undefined) {
    return unpinned('taskset is not installed: nothing is pinned, proxy and load share processors');
  }
  const [first, ...others] = cpus;
  if (first === undefined || others.length === 0) {
    return unpinned('one processor only: proxy, origin and load share it');
  }
  return { proxy: String(first), load: others.join(','), warning: null };
}

function unpinned(warning: string): Pinning {
  return { proxy: null, load: null, warning };
}

function allowedCpus(): number[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  return parseCpuList(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '0');
}

/** `0-2,5` → [0, 1, 2, 5] */
export function parseCpuList(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [from, to] = part.split('-').map(Number);
    const first = from ?? 0;
    return Array.from({ length: (to ?? first) - first + 1 }, (_, i) => first + i);
  });
}
