import type { Metric } from './metric.ts';
import { type Decision, type Look, lastMinutes, type Rule } from './rule.ts';

/**
 * Flagger: `interval: 1m`, `threshold: 5`. A failed check (also one without values) halts the weight for its
 * minute; failed checks are never forgotten; the minute after the fifth rolls back. A good minute advances.
 */
export class FlaggerRule implements Rule {
  readonly everyS = 60;
  readonly #metrics: readonly Metric[];
  readonly #threshold: number;
  readonly #skipEmpty: boolean;
  #failedChecks = 0;

  constructor(metrics: readonly Metric[], skipEmpty: boolean, threshold = 5) {
    this.#metrics = metrics;
    this.#skipEmpty = skipEmpty;
    this.#threshold = threshold;
  }

  decide({ minutes }: Look): Decision {
    if (this.#failedChecks >= this.#threshold) return 'rollback';
    const { canary, stable } = lastMinutes(minutes, 1);
    const failed = this.#metrics.some((metric) => {
      const value = metric.value(canary, stable);
      return !(value <= metric.limit || (this.#skipEmpty && Number.isNaN(value)));
    });
    if (!failed) return 'advance';
    this.#failedChecks++;
    return 'stay';
  }
}
