import {
  ASSIGN_REASONS,
  type AssignReason,
  assertNever,
  type KeySource,
  type Service,
  type Share,
} from '../model.ts';
import { bucketOfKey } from './hash.ts';
import { type CompiledRule, compileRules, firstRule, type RequestFacts, type RuleSet } from './rules.ts';
import { versionOfBucket } from './shares.ts';

/** A service with its rules compiled; made once per Split, read by every request. */
export interface Chooser {
  readonly service: Service;
  readonly rules: RuleSet;
}

export interface Assignment {
  readonly version: number;
  readonly reason: AssignReason;
  /** The rule that decided, an index into the service's rules, or -1. */
  readonly rule: number;
  /** 0..9999; -1 where none was computed (a forced version, a pinned session). */
  readonly bucket: number;
  /** The sticky key, or '' for none. */
  readonly key: string;
}

/**
 * The world outside the request, as far as a choice needs it. Each is called at
 * most once per choice, and only if the choice depends on it.
 */
export interface ChoiceInputs {
  /** The id of a verified cookie of ours, or of one made now; '' where neither is to be had. */
  issuedId(): string;
  /** The version this key is pinned to in `mode: session`, or -1. */
  pinned(key: string): number;
  random(): number;
}

export function makeChooser(
  service: Service,
  compile: (source: string) => (text: string) => boolean,
): Chooser {
  return { service, rules: compileRules(service.rules, compile) };
}

/**
 * Which version serves this request, and why.
 *
 * Precedence: the rules in their order; then, within the shares in force, the
 * pinned session, the bucket of the first sticky key present, the bucket of an
 * id that we issued; without any of these a random bucket. Under `precedence:
 * nginx` the pinned session goes above the rules.
 */
export function choose(chooser: Chooser, facts: RequestFacts, inputs: ChoiceInputs): Assignment {
  const { service, rules } = chooser;
  if (pinsRules(service)) return chooseAsNginx(chooser, facts, inputs);
  const i = firstRule(rules, facts);
  if (i < 0) return chooseByShares(service, service.shares, -1, facts, inputs);
  const { then } = (rules.rules[i] as CompiledRule).rule;
  if (then.kind === 'use') return { version: then.version, reason: 'rule', rule: i, bucket: -1, key: '' };
  return chooseByShares(service, then.shares, i, facts, inputs);
}

function chooseByShares(
  service: Service,
  shares: readonly Share[],
  rule: number,
  facts: RequestFacts,
  inputs: ChoiceInputs,
): Assignment {
  const { sticky } = service;
  const own = keyOf(sticky.by, facts);
  const key = own === '' && sticky.issueCookie !== null ? inputs.issuedId() : own;
  if (key !== '' && sticky.mode === 'session' && rule < 0) {
    const version = inputs.pinned(key);
    if (version >= 0) return { version, reason: 'session', rule, bucket: -1, key };
  }
  return chooseByKey(service, shares, rule, key, own === '' ? 'cookie' : 'hash', inputs);
}

/** Whether sessions go above the rules, and hold what a rule decided. */
export function pinsRules(service: Service): boolean {
  return service.precedence === 'nginx' && service.sticky.mode === 'session';
}

function chooseAsNginx(chooser: Chooser, facts: RequestFacts, inputs: ChoiceInputs): Assignment {
  const { service, rules } = chooser;
  const { sticky } = service;
  const own = keyOf(sticky.by, facts);
  const key = own === '' && sticky.issueCookie !== null ? inputs.issuedId() : own;
  const version = key === '' ? -1 : inputs.pinned(key);
  if (version >= 0) return { version, reason: 'session', rule: -1, bucket: -1, key };
  const keyed = own === '' ? 'cookie' : 'hash';
  const i = firstRule(rules, facts);
  if (i < 0) return chooseByKey(service, service.shares, -1, key, keyed, inputs);
  const { then } = (rules.rules[i] as CompiledRule).rule;
  if (then.kind === 'use') return { version: then.version, reason: 'rule', rule: i, bucket: -1, key };
  return chooseByKey(service, then.shares, i, key, keyed, inputs);
}

/** `keyed`: the reason where no rule but the key decides. */
function chooseByKey(
  service: Service,
  shares: readonly Share[],
  rule: number,
  key: string,
  keyed: AssignReason,
  inputs: ChoiceInputs,
): Assignment {
  const { stable, salt } = service;
  if (key === '') {
    const bucket = Math.floor(inputs.random() * 10_000);
    return {
      version: versionOfBucket(shares, stable, bucket),
      reason: rule >= 0 ? 'rule' : 'random',
      rule,
      bucket,
      key,
    };
  }
  const bucket = bucketOfKey(salt, key);
  const reason = rule >= 0 ? 'rule' : keyed;
  return { version: versionOfBucket(shares, stable, bucket), reason, rule, bucket, key };
}

/** The first sticky key present; '' where there is none. An empty value counts as absent. */
export function keyOf(sources: readonly KeySource[], facts: RequestFacts): string {
  for (const source of sources) {
    const value = readKey(source, facts);
    if (value !== undefined && value !== '') return value;
  }
  return '';
}

function readKey(source: KeySource, facts: RequestFacts): string | undefined {
  switch (source.kind) {
    case 'header':
      return facts.header(source.name);
    case 'cookie':
      return facts.cookie(source.name);
    case 'query':
      return facts.query(source.name);
    case 'ip':
      return facts.ip();
    default:
      return assertNever(source);
  }
}

const REASON_INDEX = Object.fromEntries(ASSIGN_REASONS.map((name, index) => [name, index])) as Record<
  AssignReason,
  number
>;

/** Index of a reason in the Tally's `assigned`. */
export function reasonIndex(reason: AssignReason): number {
  return REASON_INDEX[reason];
}
