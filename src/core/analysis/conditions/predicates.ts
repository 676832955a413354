import { calculate } from './arithmetic.ts';
import type { FunctionName } from './ast.ts';
import { fail } from './fault.ts';
import { asBool, asNum, type Num } from './values.ts';

/** Calls a function with a predicate on the items of a list, one after the other, and no further than needed. */
export function callWithPredicate(
  name: FunctionName,
  items: readonly unknown[],
  predicate: (item: unknown) => unknown,
  at: number,
): unknown {
  const test = (item: unknown) => asBool(predicate(item), `the predicate of ${name}()`, at);
  switch (name) {
    case 'all':
      return items.every(test);
    case 'any':
      return items.some(test);
    case 'none':
      return !items.some(test);
    case 'one':
      return items.filter(test).length === 1;
    case 'count':
      return BigInt(items.filter(test).length);
    case 'filter':
      return items.filter(test);
    case 'find':
      return items.find(test) ?? null;
    case 'map':
      return items.map((item) => predicate(item));
    case 'sum':
      return items.reduce<Num>(
        (sum, item) => calculate('+', sum, asNum(predicate(item), 'sum()', at), at),
        0n,
      );
    default:
      return fail(`${name}() takes no predicate`, at);
  }
}
