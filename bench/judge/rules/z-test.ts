import { normalQuantile } from './mann-whitney.ts';
import type { Metric } from './metric.ts';
import { type Decision, type Look, lastMinutes, type Rule, TIMED_STAGE_S } from './rule.ts';

/**
 * What one writes first: once a minute, over everything so far, a one-sided test of two proportions. Each look
 * keeps its level; sixty looks together do not.
 */
export class ZTestRule implements Rule {
  readonly everyS = 60;
  readonly #metrics: readonly Metric[];
  readonly #critical: number;
  readonly #seen = new Map<Metric, [bad: number, of: number, bad: number, of: number]>();

  constructor(metrics: readonly Metric[], level: number) {
    this.#metrics = metrics;
    this.#critical = normalQuantile(1 - level);
  }

  decide({ minutes, stageS }: Look): Decision {
    const { canary, stable } = lastMinutes(minutes, 1);
    for (const metric of this.#metrics) {
      if (metric.count === null) continue;
      const minute = [...metric.count(canary), ...metric.count(stable)] as const;
      const seen = this.#seen.get(metric) ?? [0, 0, 0, 0];
      minute.forEach((count, i) => {
        seen[i] = (seen[i] as number) + count;
      });
      this.#seen.set(metric, seen);
      if (zOf(...seen) > this.#critical) return 'rollback';
    }
    return stageS >= TIMED_STAGE_S ? 'advance' : 'stay';
  }
}

/** NaN without requests or without any bad one: no reason to act. */
function zOf(canaryBad: number, canary: number, stableBad: number, stable: number): number {
  const pooled = (canaryBad + stableBad) / (canary + stable);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / canary + 1 / stable));
  return (canaryBad / canary - stableBad / stable) / deviation;
}
