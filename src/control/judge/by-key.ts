import { termsOf } from '../../core/comparison.ts';
import type { Condition, Service, Split } from '../../core/model.ts';
import { bucketOfKey, fnv1a32 } from '../../core/split/hash.ts';
import { compileCondition, type RequestFacts } from '../../core/split/rules.ts';
import { versionOfBucket } from '../../core/split/shares.ts';
import type { PatternCompiler } from '../../ports.ts';

/** Where feedback that names a user, and no prediction, belongs. */
export interface PlaceOfKey {
  readonly version: string;
  readonly terms: string;
  /** As the data path tells users apart. */
  readonly keyHash: number;
}

type Holds = 'yes' | 'no' | 'unknown';
type Test = (key: string) => Holds;

/**
 * Finds the version that the Split in force gives to every compared request with
 * a sticky key. Null where a key alone does not tell: where nothing is compared,
 * sessions are pinned, or a rule may decide that looks at more than the key. What
 * the user got in an earlier stage is not known here; a prediction id says that.
 */
export function keyFinder(
  split: Split,
  service: Service,
  compile: PatternCompiler,
): (key: string) => PlaceOfKey | null {
  const { judged, sticky, stable, salt, versions } = service;
  const terms = termsOf(service);
  const keyed = sticky.by.length > 0 || sticky.issueCookie !== null;
  if (judged === null || terms === null || !keyed || sticky.mode === 'session') return () => null;
  const then = judged.rule < 0 ? null : service.rules[judged.rule]?.then;
  const shares = then === null ? service.shares : then?.kind === 'split' ? then.shares : null;
  if (shares === null) return () => null;
  const tests = service.rules.map(({ when }) => testOf(when, split, service, compile));
  return (key) => {
    if (key === '' || ruleFor(tests, key) !== judged.rule) return null;
    const version = versionOfBucket(shares, stable, bucketOfKey(salt, key));
    return { version: versions[version]?.name ?? '', terms, keyHash: fnv1a32(key) };
  };
}

/** The rule that decides for the key; -1: none does, null: it depends on more than the key. */
function ruleFor(tests: readonly Test[], key: string): number | null {
  for (const [i, test] of tests.entries()) {
    const holds = test(key);
    if (holds === 'yes') return i;
    if (holds === 'unknown') return null;
  }
  return -1;
}

function testOf(when: Condition, split: Split, service: Service, compile: PatternCompiler): Test {
  if (when.kind === 'all' || when.kind === 'any') {
    const parts = when.of.map((part) => testOf(part, split, service, compile));
    return when.kind === 'all' ? join(parts, 'no', 'yes') : join(parts, 'yes', 'no');
  }
  if (!isKnown(when, service)) return () => 'unknown';
  const holds = compileCondition(when, compile);
  return (key) => (holds(factsOf(split, key)) ? 'yes' : 'no');
}

/** One part that is `deciding` decides; where none is, all must be known. */
function join(parts: readonly Test[], deciding: Holds, other: Holds): Test {
  return (key) => {
    const found = parts.map((part) => part(key));
    if (found.includes(deciding)) return deciding;
    return found.includes('unknown') ? 'unknown' : other;
  };
}

/** Of a user nothing is known but the key, and where that stands only if there is one place for it. */
function isKnown(when: Condition, { sticky, regionHeader }: Service): boolean {
  if (when.kind === 'region') return regionHeader === null;
  const [source, second] = sticky.by;
  if (source === undefined || second !== undefined || sticky.issueCookie !== null) return false;
  return source.kind !== 'ip' && source.kind === when.kind && source.name === when.name;
}

function factsOf({ region }: Split, key: string): RequestFacts {
  const value = () => key;
  return {
    method: '',
    path: '',
    header: value,
    cookie: value,
    query: value,
    ip: value,
    region: () => (region ?? '').toLowerCase(),
  };
}
