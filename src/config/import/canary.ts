import { readPattern } from '../pattern.ts';
import type { Cursor } from './cursor.ts';
import { plain } from './sheet.ts';

/** What an NGINX canary Ingress asks for, beyond where it leads. */
export interface CanaryAsk {
  /** Percent with two decimals; null where no weight is given. */
  readonly weight: number | null;
  readonly weightAt: Cursor;
  /** In NGINX's order. */
  readonly rules: readonly ForcedRule[];
}

/** A request that is sent to one version whatever the weight. */
export interface ForcedRule {
  readonly source: 'header' | 'cookie';
  readonly name: string;
  /** Equal to the text, or matching the RE2 pattern. */
  readonly match: string | { readonly pattern: string };
  readonly use: 'canary' | 'stable';
  readonly at: Cursor;
}

/**
 * The canary annotations under a prefix (`nginx.ingress.kubernetes.io/`, or '' in
 * a Rollout's lists of them). As in NGINX a value replaces `always` and `never`,
 * and a pattern counts only where there is no value.
 */
export function readCanaryAsk(annotations: Cursor, prefix: string): CanaryAsk {
  const weightAt = annotations.get(`${prefix}canary-weight`);
  return {
    weight: readWeight(weightAt, annotations.get(`${prefix}canary-weight-total`)),
    weightAt,
    rules: [
      ...headerRules(annotations, prefix),
      ...cookieRules(annotations.get(`${prefix}canary-by-cookie`)),
    ],
  };
}

function readWeight(weightAt: Cursor, totalAt: Cursor): number | null {
  const total = Math.max(100, digitsOf(totalAt) ?? 100);
  const given = digitsOf(totalAt);
  if (given !== null && given < 100)
    totalAt.note('is below 100, which NGINX takes for 100; so does the config');
  const weight = digitsOf(weightAt);
  if (weight === null) {
    if (given !== null) totalAt.note('does nothing without canary-weight');
    return null;
  }
  const exact = (Math.min(weight, total) / total) * 100;
  const percent = Math.round(exact * 100) / 100;
  if (Math.abs(percent - exact) > 1e-9) {
    weightAt.note(`${weight} of ${total} is rounded to ${percent} percent; weights have two decimals`);
  }
  return percent;
}

function digitsOf(at: Cursor): number | null {
  const text = at.scalarText();
  if (text === null) return null;
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  at.fail('must be a whole number of 0 or more');
  return null;
}

function headerRules(annotations: Cursor, prefix: string): ForcedRule[] {
  const at = annotations.get(`${prefix}canary-by-header`);
  const valueAt = annotations.get(`${prefix}canary-by-header-value`);
  const patternAt = annotations.get(`${prefix}canary-by-header-pattern`);
  const name = at.scalarText();
  if (name === null || name === '') {
    for (const one of [valueAt, patternAt])
      if (one.present) one.note('does nothing without canary-by-header');
    return [];
  }
  const value = valueAt.scalarText();
  if (value !== null && value !== '') {
    if (patternAt.present) patternAt.note('does nothing beside canary-by-header-value');
    return [{ source: 'header', name, match: plain(value), use: 'canary', at: valueAt }];
  }
  const pattern = patternAt.scalarText();
  if (pattern === null || pattern === '') return alwaysNever('header', name, at);
  const reading = readPattern(pattern);
  if (!reading.ok) {
    patternAt.fail(`${reading.message}; ${reading.fix}`);
    return [];
  }
  return [{ source: 'header', name, match: { pattern: plain(pattern) }, use: 'canary', at: patternAt }];
}

function cookieRules(at: Cursor): ForcedRule[] {
  const name = at.scalarText();
  return name === null || name === '' ? [] : alwaysNever('cookie', name, at);
}

function alwaysNever(source: 'header' | 'cookie', name: string, at: Cursor): ForcedRule[] {
  return [
    { source, name, match: 'always', use: 'canary', at },
    { source, name, match: 'never', use: 'stable', at },
  ];
}
