import type { ServiceJudge } from '../../core/judge/service.ts';
import type { Service } from '../../core/model.ts';

/**
 * What evidence without a rollout is about: which models answer, whom, and how
 * users are told apart. Where any of it changes the evidence begins anew; other
 * weights, limits or time-outs are a new stage of the same.
 */
export function identityOf(
  { match, versions, stable, salt, sticky, rules, precedence }: Service,
  revisions: ServiceJudge['revisions'],
): string {
  const { issueCookie } = sticky;
  return JSON.stringify([
    match,
    versions.map(({ name, upstream }) => [name, upstream.endpoints, revisions[name] ?? null]),
    stable,
    salt,
    { ...sticky, issueCookie: issueCookie?.name ?? null },
    rules,
    precedence,
  ]);
}
