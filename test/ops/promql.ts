import { METRICS } from '../../src/tally/names.ts';

/** What a PromQL expression names. Read by its shape alone; Prometheus itself says whether it is sound. */

const KEYWORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'group_left', 'group_right']);
const GROUPING = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g;

/** Names of series: whatever is no function, keyword, label or number. */
export function seriesIn(expression: string): string[] {
  const bare = expression
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\{[^}]*\}/g, ' ')
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(GROUPING, ' ');
  const names = [...bare.matchAll(/(?<![\w:.])[a-zA-Z_:][\w:]*(?!\w*\s*\()/g)].map(([name]) => name);
  return [...new Set(names.filter((name) => !KEYWORDS.has(name) && !isCall(bare, name)))];
}

function isCall(text: string, name: string): boolean {
  return new RegExp(`(?<![\\w:])${name}\\s*\\(`).test(text);
}

/** Each label that a selector asks a series for. */
export function labelsIn(expression: string): { readonly name: string; readonly label: string }[] {
  return [...expression.matchAll(/([a-zA-Z_:][\w:]*)\{([^}]*)\}/g)].flatMap(([, name = '', inner = '']) =>
    [...inner.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => ({ name, label })),
  );
}

/** What Prometheus adds to every series of a target. */
const OF_TARGETS = ['job', 'instance'];

const SPECS = new Map(Object.values(METRICS).map((spec) => [spec.name as string, spec]));

/** Labels that a series of ours can have; null: it is not ours. */
export function labelsOf(series: string): readonly string[] | null {
  const spec = SPECS.get(series) ?? SPECS.get(series.replace(/_(?:bucket|sum|count)$/, ''));
  return spec === undefined ? null : [...spec.labels, ...OF_TARGETS, 'le'];
}

/** Names of the series in an exposition. */
export function exposed(metrics: string): Set<string> {
  return new Set(
    metrics
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.slice(0, line.search(/[{ ]/))),
  );
}
