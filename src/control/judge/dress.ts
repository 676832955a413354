import type { Judged } from '../../core/arms.ts';
import type { ServiceJudge } from '../../core/judge/service.ts';
import type { Service } from '../../core/model.ts';
import { fnv1a32 } from '../../core/split/hash.ts';

/** Thresholds that were frozen from stable's own past, by gate name. */
export type Frozen = ReadonlyMap<string, number>;

/**
 * The service with what the data path shall count for its judge. Compared are the
 * requests that the weight in force divides: those of no rule, or those of the
 * rollout's scope.
 *
 * @param scope label of the scope in force; null: everyone
 */
export function dress(
  service: Service,
  judge: ServiceJudge | undefined,
  scope: string | null,
  frozen: Frozen,
): Service {
  if (judge === undefined || judge.judged.canary < 0) return service;
  const rule = scope === null ? -1 : service.rules.findIndex(({ id }) => id === `scope ${scope}`);
  const { plan, scoreRange, experiment, revisions } = judge;
  const question = fnv1a32(JSON.stringify([plan, scoreRange, experiment, revisions]));
  return { ...service, judged: { ...judge.judged, slow: slowOf(judge, frozen), rule, question } };
}

function slowOf({ judged }: ServiceJudge, frozen: Frozen): Judged['slow'] {
  const own = judged.slow.flatMap(({ gate }) => {
    const thresholdMs = frozen.get(gate);
    return thresholdMs === undefined ? [] : [{ gate: `${gate}/frozen`, thresholdMs }];
  });
  return [...judged.slow, ...own];
}
