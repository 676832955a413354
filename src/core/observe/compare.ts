import { assertNever } from '../model.ts';
import { equalJson } from './equal.ts';
import { extract } from './extract.ts';
import type { Observation, ObserveSpec, PairSpec } from './spec.ts';

export type PairOutcome = 'agree' | 'disagree' | 'incomparable';

/**
 * Whether a shadow's answer agrees with the one that the client got to the same
 * request. Both are parsed. What cannot be told, because the client's answer does
 * not say it or the answers are too large to walk through, is incomparable; a
 * shadow that does not say what the client's answer says disagrees.
 */
export function comparePair(spec: ObserveSpec, client: unknown, shadow: unknown): PairOutcome {
  const { pairs } = spec;
  if (pairs === null) return 'incomparable';
  if (pairs.by === 'json') return compareJson(client, shadow, pairs.ignore);
  return compareObserved(pairs, extract(spec, client), extract(spec, shadow));
}

/** The same of answers that have been read already; by JSON they are not comparable any more. */
export function compareObserved(
  pairs: PairSpec,
  client: readonly Observation[],
  shadow: readonly Observation[],
): PairOutcome {
  switch (pairs.by) {
    case 'class':
      return compareItems(client, shadow, (item) => item.class, Object.is);
    case 'score':
      return compareItems(
        client,
        shadow,
        (item) => item.score,
        (a, b) => isNear(a, b, pairs.tolerance),
      );
    case 'json':
      return 'incomparable';
    default:
      return assertNever(pairs.by);
  }
}

/** Items that the client's answer leaves open are passed over; all others must agree. */
function compareItems<T>(
  client: readonly Observation[],
  shadow: readonly Observation[],
  read: (item: Observation) => T | null,
  same: (a: T, b: T) => boolean,
): PairOutcome {
  let told = 0;
  let differs = client.length !== shadow.length;
  for (const [i, item] of client.entries()) {
    const own = read(item);
    if (own === null) continue;
    told++;
    const other = shadow[i] === undefined ? null : read(shadow[i]);
    if (other === null || !same(own, other)) differs = true;
  }
  if (told === 0) return 'incomparable';
  return differs ? 'disagree' : 'agree';
}

/** What subtracting and reading decimals may cost, so that .93 and .92 are within .01. */
const ROUNDING = 1e-12;

function isNear(a: number, b: number, tolerance: number): boolean {
  return Math.abs(a - b) <= tolerance + ROUNDING * Math.max(1, Math.abs(a), Math.abs(b));
}

function compareJson(client: unknown, shadow: unknown, ignore: PairSpec['ignore']): PairOutcome {
  const equality = equalJson(client, shadow, ignore);
  switch (equality) {
    case 'equal':
      return 'agree';
    case 'different':
      return 'disagree';
    case 'too_large':
      return 'incomparable';
    default:
      return assertNever(equality);
  }
}
