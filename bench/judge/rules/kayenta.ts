import { mannWhitney } from './mann-whitney.ts';
import type { Metric } from './metric.ts';
import type { Decision, Look, Rule } from './rule.ts';

const CONFIDENCE = 0.98;
const TOLERANCE = 0.25;

/**
 * Kayenta: one judgement of an hour of a weight, over both versions' values minute by minute (fifty points are
 * what its makers ask for). A metric is too high when the whole confidence interval of the shift lies above
 * `tolerance` of the estimated shift; every metric here is critical, so one is enough. Values that are NaN are left
 * out; without any there is nothing to pass.
 */
export class KayentaRule implements Rule {
  readonly everyS = 3600;
  readonly #series: readonly ((arm: Look['minutes'][number]['canary']) => number)[];

  constructor(metrics: readonly Metric[]) {
    this.#series = metrics.flatMap(({ series }) => (series === null ? [] : [series]));
  }

  decide({ minutes, stage }: Look): Decision {
    const hour = minutes.filter((one) => one.stage === stage);
    return this.#series.some((value) => {
      const canary = hour.map((one) => value(one.canary)).filter((one) => !Number.isNaN(one));
      const stable = hour.map((one) => value(one.stable)).filter((one) => !Number.isNaN(one));
      if (canary.length === 0 || stable.length === 0) return true;
      const { low, estimate } = mannWhitney(canary, stable, CONFIDENCE);
      return low > TOLERANCE * Math.abs(estimate);
    })
      ? 'rollback'
      : 'advance';
  }
}
