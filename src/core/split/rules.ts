import { assertNever, type Condition, type Rule, type TextMatch } from '../model.ts';

/** What the split may ask of a request. Names of headers are lower-case; values as they came. */
export interface RequestFacts {
  readonly method: string;
  /** Normalised path, without the query. */
  readonly path: string;
  header(name: string): string | undefined;
  cookie(name: string): string | undefined;
  query(name: string): string | undefined;
  /** The client's address as the trusted hops tell it; IPv6 as its /64. */
  ip(): string;
  /** Lower-case region, or '' where there is none. */
  region(): string;
}

export type Predicate = (facts: RequestFacts) => boolean;
type TextTest = (text: string) => boolean;
/** See ports.ts; stated here because core imports nothing outside core. */
type Compile = (source: string) => TextTest;

export interface CompiledRule {
  readonly rule: Rule;
  readonly holds: Predicate;
}

/**
 * Rules as functions, in their order, and an index over those that want a certain
 * value, so that a request looks at the rules that may hold and not at all of them.
 */
export interface RuleSet {
  readonly rules: readonly CompiledRule[];
  readonly byValue: readonly ValueIndex[];
  /** Rules without such a value, ascending. */
  readonly rest: readonly number[];
}

/** The rules that ask one header, cookie or query parameter for certain values. */
interface ValueIndex {
  readonly read: (facts: RequestFacts) => string | undefined;
  /** Ascending. */
  readonly rules: ReadonlyMap<string, readonly number[]>;
}

/** `compile` turns a pattern's source into a linear-time test. */
export function compileRules(rules: readonly Rule[], compile: Compile): RuleSet {
  const byField = new Map<string, { read: ValueIndex['read']; rules: Map<string, number[]> }>();
  const rest: number[] = [];
  rules.forEach(({ when }, i) => {
    const wanted = wantedValues(when);
    if (wanted === null) {
      rest.push(i);
      return;
    }
    const field = `${wanted.kind} ${wanted.name}`;
    let index = byField.get(field);
    if (index === undefined) {
      index = { read: readerOf(wanted), rules: new Map() };
      byField.set(field, index);
    }
    for (const value of new Set(wanted.match.values)) {
      const held = index.rules.get(value);
      if (held === undefined) index.rules.set(value, [i]);
      else held.push(i);
    }
  });
  return {
    rules: rules.map((rule) => ({ rule, holds: compileCondition(rule.when, compile) })),
    byValue: [...byField.values()],
    rest,
  };
}

/** The first rule that holds, or -1. */
export function firstRule(set: RuleSet, facts: RequestFacts): number {
  const { rules, byValue, rest } = set;
  let first = firstOf(rest, rules, facts, rules.length);
  for (const index of byValue) {
    const value = index.read(facts);
    const candidates = value === undefined ? undefined : index.rules.get(value);
    if (candidates !== undefined) first = firstOf(candidates, rules, facts, first);
  }
  return first === rules.length ? -1 : first;
}

/** The first of some ascending candidates that holds and stands before `bound`; else `bound`. */
function firstOf(
  candidates: readonly number[],
  rules: readonly CompiledRule[],
  facts: RequestFacts,
  bound: number,
): number {
  for (const i of candidates) {
    if (i >= bound) return bound;
    if ((rules[i] as CompiledRule).holds(facts)) return i;
  }
  return bound;
}

type Wanted = Extract<Condition, { kind: 'header' | 'cookie' | 'query' }> & {
  readonly match: Extract<TextMatch, { kind: 'oneOf' }>;
};

/** A part of the condition that must hold for the whole to hold and names the values it takes; null where there is none. */
function wantedValues(condition: Condition): Wanted | null {
  switch (condition.kind) {
    case 'header':
    case 'cookie':
    case 'query':
      return condition.match.kind === 'oneOf' ? (condition as Wanted) : null;
    case 'all':
      for (const part of condition.of) {
        const wanted = wantedValues(part);
        if (wanted !== null) return wanted;
      }
      return null;
    default:
      return null;
  }
}

function readerOf({ kind, name }: Wanted): ValueIndex['read'] {
  if (kind === 'header') return (facts) => facts.header(name);
  return kind === 'cookie' ? (facts) => facts.cookie(name) : (facts) => facts.query(name);
}

export function compileCondition(condition: Condition, compile: Compile): Predicate {
  switch (condition.kind) {
    case 'header': {
      const { name } = condition;
      return onText((facts) => facts.header(name), condition.match, compile);
    }
    case 'cookie': {
      const { name } = condition;
      return onText((facts) => facts.cookie(name), condition.match, compile);
    }
    case 'query': {
      const { name } = condition;
      return onText((facts) => facts.query(name), condition.match, compile);
    }
    case 'path':
      return onText((facts) => facts.path, condition.match, compile);
    case 'method': {
      const methods = new Set(condition.oneOf);
      return (facts) => methods.has(facts.method);
    }
    case 'region': {
      const regions = new Set(condition.oneOf);
      return (facts) => regions.has(facts.region());
    }
    case 'all': {
      const parts = condition.of.map((part) => compileCondition(part, compile));
      return (facts) => parts.every((part) => part(facts));
    }
    case 'any': {
      const parts = condition.of.map((part) => compileCondition(part, compile));
      return (facts) => parts.some((part) => part(facts));
    }
    default:
      return assertNever(condition);
  }
}

function onText(
  read: (facts: RequestFacts) => string | undefined,
  match: TextMatch,
  compile: Compile,
): Predicate {
  const test = compileText(match, compile);
  return (facts) => {
    const text = read(facts);
    return text !== undefined && test(text);
  };
}

function compileText(match: TextMatch, compile: Compile): TextTest {
  switch (match.kind) {
    case 'present':
      return () => true;
    case 'oneOf': {
      const values = new Set(match.values);
      return (text) => values.has(text);
    }
    case 'prefix': {
      const { value } = match;
      return (text) => text.startsWith(value);
    }
    case 'pattern':
      return compile(match.source);
    default:
      return assertNever(match);
  }
}
