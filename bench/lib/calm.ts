import type { Cost } from './load.ts';
import { spread } from './stats.ts';
import { number } from './table.ts';

/** Above this share of time waited for a processor the machine was too busy for figures. */
const CALM_ENOUGH = 0.1;

/** Says how much the proxies had to share their processor with strangers. */
export function calmNote(runs: readonly Cost[]): string {
  const waited = spread(runs.map((run) => run.proxyWaited));
  const text =
    `the proxies waited for their processor ${number(waited.median * 100)} % of the time ` +
    `(worst run ${number(waited.max * 100)} %)`;
  return waited.max < CALM_ENOUGH
    ? text
    : `**other work ran on this machine, do not quote these figures**: ${text}`;
}
