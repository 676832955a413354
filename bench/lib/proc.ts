import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** Reads of /proc: processor time and memory of a process and all its descendants. */

/** Ticks a second in /proc/<pid>/stat; 100 on every usual kernel. */
const TICKS_PER_S = Number(spawnSync('getconf', ['CLK_TCK']).stdout?.toString()) || 100;

interface Stat {
  readonly parent: number;
  readonly cpuTicks: number;
}

function readStat(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may hold anything; fields count from behind it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(fields[1]), cpuTicks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return null;
  }
}

function family(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const parent = readStat(pid)?.parent ?? -1;
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = [root];
  for (let i = 0; i < found.length; i++) found.push(...(children.get(found[i] as number) ?? []));
  return found;
}

/** User and system time of all threads of `pid` and its descendants, in microseconds. */
export function cpuUs(pid: number): number {
  const ticks = family(pid).reduce((sum, one) => sum + (readStat(one)?.cpuTicks ?? 0), 0);
  return (ticks / TICKS_PER_S) * 1e6;
}

/** How long the main thread of `pid` was ready to run but had no processor, in microseconds. */
export function waitedUs(pid: number): number {
  const [, waitedNs] = readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ');
  return Number(waitedNs) / 1000;
}

function statusBytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const pattern = new RegExp(`^${field}:\\s*(\\d+) kB`, 'm');
  return family(pid).reduce((sum, one) => {
    try {
      const kib = pattern.exec(readFileSync(`/proc/${one}/status`, 'latin1'))?.[1];
      return sum + Number(kib ?? 0) * 1024;
    } catch {
      return sum;
    }
  }, 0);
}

/** Memory resident now, in bytes. */
export function rssBytes(pid: number): number {
  return statusBytes(pid, 'VmRSS');
}

/** The most that was ever resident (since `resetPeak`), in bytes. */
export function peakRssBytes(pid: number): number {
  return statusBytes(pid, 'VmHWM');
}

/** Sets the peak back to what is resident now. */
export function resetPeak(pid: number): void {
  for (const one of family(pid)) writeFileSync(`/proc/${one}/clear_refs`, '5');
}

export interface MachineTimes {
  readonly total: number;
  readonly steal: number;
}

/** Time of all processors since boot, and how much of it the hypervisor took away; in ticks. */
export function machineTimes(): MachineTimes {
  const fields =
    readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]?.trim().split(/\s+/).slice(1, 9) ?? [];
  const ticks = fields.map(Number);
  return { total: ticks.reduce((sum, one) => sum + one, 0), steal: ticks[7] ?? 0 };
}

/** The most open files a process of ours may have. */
export function openFilesLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1] ?? '1024';
  return hard === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(hard);
}
