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

/** Rules as functions; `compile` turns a pattern's source into a linear-time test. */
export function compileRules(rules: readonly Rule[], compile: Compile): CompiledRule[] {
  return rules.map((rule) => ({ rule, holds: compileCondition(rule.when, compile) }));
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
