import type { Judged } from '../../core/arms.ts';
import type { ServiceJudge } from '../../core/judge/service.ts';
import { type Service, WHOLE_BP } from '../../core/model.ts';

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
  return { ...service, judged: { ...judge.judged, slow: slowOf(judge, frozen), rule } };
}

function slowOf({ judged }: ServiceJudge, frozen: Frozen): Judged['slow'] {
  const own = judged.slow.flatMap(({ gate }) => {
    const thresholdMs = frozen.get(gate);
    return thresholdMs === undefined ? [] : [{ gate: `${gate}/frozen`, thresholdMs }];
  });
  return [...judged.slow, ...own];
}

/** Shares of the compared requests by version, stable included; null where nothing is compared. */
export function comparedShares({
  judged,
  shares,
  rules,
  stable,
}: Service): ReadonlyMap<number, number> | null {
  if (judged === null) return null;
  const then = judged.rule < 0 ? null : rules[judged.rule]?.then;
  const list = then === null ? shares : then?.kind === 'split' ? then.shares : [];
  const dealt = new Map<number, number>();
  for (const { version, weightBp } of list) dealt.set(version, (dealt.get(version) ?? 0) + weightBp);
  const sum = [...dealt.values()].reduce((total, weightBp) => total + weightBp, 0);
  return dealt.set(stable, (dealt.get(stable) ?? 0) + WHOLE_BP - sum);
}

/** The share a version has of what it and stable get together, 0..1; null where both get nothing. */
export function shareBeside(
  shares: ReadonlyMap<number, number>,
  version: number,
  stable: number,
): number | null {
  const own = shares.get(version) ?? 0;
  const both = own + (shares.get(stable) ?? 0);
  return both <= 0 ? null : own / both;
}
