import type { Condition, TextMatch } from '../../core/model.ts';
import type { RawService, RawTextMatch, RawWhen } from '../schema.ts';

export type Cohorts = ReadonlyMap<string, Condition>;
type Conditions = Omit<RawWhen, 'cohort'>;

/** All that is given must hold. */
export function compileWhen(when: RawWhen, cohorts: Cohorts): Condition {
  const parts = factConditions(when);
  if (when.cohort !== undefined) {
    parts.push(anyOf(listOf(when.cohort).flatMap((name) => cohorts.get(name) ?? [])));
  }
  return allOf(parts);
}

/** The cohorts of a service by name. */
export function compileCohorts(raw: RawService['cohorts']): Cohorts {
  return new Map(Object.entries(raw ?? {}).map(([name, cohort]) => [name, compileCohort(cohort)]));
}

function compileCohort(cohort: Conditions): Condition {
  return allOf(factConditions(cohort));
}

function factConditions(raw: Conditions): Condition[] {
  const parts: Condition[] = [];
  for (const [name, match] of Object.entries(raw.header ?? {})) {
    parts.push({ kind: 'header', name: name.toLowerCase(), match: compileText(match) });
  }
  for (const kind of ['cookie', 'query'] as const) {
    for (const [name, match] of Object.entries(raw[kind] ?? {})) {
      parts.push({ kind, name, match: compileText(match) });
    }
  }
  if (raw.path !== undefined) parts.push({ kind: 'path', match: compileText(raw.path) });
  if (raw.method !== undefined) parts.push({ kind: 'method', oneOf: listOf(raw.method) });
  if (raw.region !== undefined) {
    parts.push({ kind: 'region', oneOf: listOf(raw.region).map((name) => name.toLowerCase()) });
  }
  return parts;
}

function compileText(raw: RawTextMatch): TextMatch {
  if (typeof raw === 'string') return { kind: 'oneOf', values: [raw] };
  if (Array.isArray(raw)) return { kind: 'oneOf', values: raw };
  if (raw.prefix !== undefined) return { kind: 'prefix', value: raw.prefix };
  if (raw.pattern !== undefined) return { kind: 'pattern', source: raw.pattern };
  return { kind: 'present' };
}

function allOf(parts: readonly Condition[]): Condition {
  return parts.length === 1 ? (parts[0] as Condition) : { kind: 'all', of: parts };
}

function anyOf(parts: readonly Condition[]): Condition {
  return parts.length === 1 ? (parts[0] as Condition) : { kind: 'any', of: parts };
}

function listOf(raw: string | string[]): string[] {
  return typeof raw === 'string' ? [raw] : raw;
}
