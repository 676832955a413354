import type { Metric } from './metric.ts';
import { type Decision, type Look, lastMinutes, type Rule, TIMED_STAGE_S } from './rule.ts';

/**
 * Argo Rollouts: an AnalysisTemplate with a success condition, `interval` 1m or 5m over a window as long, and
 * `failureLimit: 3`, in the background of the rollout. The fourth failed measurement ends it. 0/0 is NaN, which
 * fails a success condition.
 */
export class ArgoRule implements Rule {
  readonly everyS: number;
  readonly #metrics: readonly Metric[];
  readonly #failureLimit: number;
  readonly #skipEmpty: boolean;
  readonly #failed = new Map<Metric, number>();

  constructor(metrics: readonly Metric[], intervalMinutes: number, skipEmpty: boolean, failureLimit = 3) {
    this.everyS = intervalMinutes * 60;
    this.#metrics = metrics;
    this.#failureLimit = failureLimit;
    this.#skipEmpty = skipEmpty;
  }

  decide({ minutes, stageS }: Look): Decision {
    const { canary, stable } = lastMinutes(minutes, this.everyS / 60);
    for (const metric of this.#metrics) {
      const value = metric.value(canary, stable);
      if (value <= metric.limit || (this.#skipEmpty && Number.isNaN(value))) continue;
      const failed = (this.#failed.get(metric) ?? 0) + 1;
      this.#failed.set(metric, failed);
      if (failed > this.#failureLimit) return 'rollback';
    }
    return stageS >= TIMED_STAGE_S ? 'advance' : 'stay';
  }
}
