import { type Service, WHOLE_BP } from './model.ts';
import { fnv1a32 } from './split/hash.ts';

/**
 * Who is compared with whom, and at which shares. A request's terms are that as a
 * short text: it goes out in the prediction id and comes back with the feedback,
 * so that an event counts at the shares under which it came about, in whichever
 * process that was and however long ago.
 */

/** Basis points of the compared requests by version index, stable's included; null where nothing is compared. */
export function comparedShares({
  judged,
  shares,
  rules,
  stable,
}: Pick<Service, 'judged' | 'shares' | 'rules' | 'stable'>): ReadonlyMap<number, number> | null {
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

const SHAPE = /^([0-9a-f]{8})((?:\.[0-9a-z]{1,4}\.[0-9a-z]{1,3})*)$/;

/**
 * The terms in force: a hash of what stable and the others with a share are, then
 * index and basis points of each of those, base 36: `9af3c011.1.dw`. Equal texts,
 * equal versions at equal shares. Null where nothing is compared.
 */
export function termsOf(service: Service): string | null {
  const dealt = comparedShares(service);
  if (dealt === null) return null;
  const given = [...dealt].filter(([version, weightBp]) => version !== service.stable && weightBp > 0);
  given.sort(([a], [b]) => a - b);
  const versions = given.map(([version]) => version);
  const parts = given.map(([version, weightBp]) => `.${version.toString(36)}.${weightBp.toString(36)}`);
  return hashOf(service, versions) + parts.join('');
}

/** As `comparedShares`, at the time of the terms; null where its versions are not those of now. */
export function sharesUnder(terms: string, service: Service): ReadonlyMap<number, number> | null {
  const found = SHAPE.exec(terms);
  if (found === null) return null;
  const dealt = new Map<number, number>();
  const parts = (found[2] ?? '').split('.').slice(1);
  for (let i = 0; i + 1 < parts.length; i += 2) {
    dealt.set(Number.parseInt(parts[i] as string, 36), Number.parseInt(parts[i + 1] as string, 36));
  }
  if (found[1] !== hashOf(service, [...dealt.keys()])) return null;
  const sum = [...dealt.values()].reduce((total, weightBp) => total + weightBp, 0);
  return sum > WHOLE_BP ? null : dealt.set(service.stable, WHOLE_BP - sum);
}

function hashOf({ versions, stable }: Service, others: readonly number[]): string {
  const definitions = [stable, ...others].map((index) => [index, versions[index]?.definition ?? null]);
  return fnv1a32(JSON.stringify(definitions)).toString(16).padStart(8, '0');
}
