import { type Mirror, WHOLE_BP } from '../model.ts';
import { compileCondition, type Predicate, type RequestFacts } from './rules.ts';

/** A mirror's routes with their conditions compiled, in their order; made once per Split. */
export interface CompiledMirrorRoute {
  readonly percentBp: number;
  readonly holds: Predicate;
}

export function compileMirrorRoutes(
  mirror: Mirror,
  compile: (source: string) => (text: string) => boolean,
): readonly CompiledMirrorRoute[] {
  return mirror.routes.map(({ percentBp, when }) => ({
    percentBp,
    holds: when === null ? () => true : compileCondition(when, compile),
  }));
}

/** Basis points of such requests that are mirrored: the first route's that holds, else the mirror's own for its methods. */
export function mirrorPercentBp(
  mirror: Mirror,
  routes: readonly CompiledMirrorRoute[],
  facts: RequestFacts,
): number {
  for (let i = 0; i < routes.length; i++) {
    const route = routes[i] as CompiledMirrorRoute;
    if (route.holds(facts)) return route.percentBp;
  }
  return mirror.methods.includes(facts.method) ? mirror.percentBp : 0;
}

/**
 * Whether a request of this bucket is mirrored.
 *
 * The shadow takes its share from the top of the buckets, the canary from the
 * bottom: users on the canary already serve as its evidence, and a mirror of 5 %
 * beside a canary of 5 % would otherwise be empty. Raising the percent adds users
 * and drops none.
 *
 * @param bucket 0..9999, the request's own or a random one
 */
export function inMirrorShare(percentBp: number, bucket: number): boolean {
  return bucket >= WHOLE_BP - percentBp;
}
