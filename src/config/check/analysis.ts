import { closest } from '../../core/closest.ts';
import {
  type AnalysisUse,
  MAX_METRICS,
  RESOLVE_BUDGET,
  type Resolver,
  resolveMetrics,
} from '../compile/analysis.ts';
import { type Problems, toldOnce } from '../compile/problems.ts';
import type { Path } from '../issue.ts';
import { pointerOf } from '../parse/source.ts';
import type { RawConfig, RawTemplate } from '../schema.ts';
import { isMapping, type Report } from '../validate/report.ts';

const MAX_NESTING = 8;

/** What the analyses of a file are checked with: its usable templates, and the names of all. */
export interface Templates {
  readonly resolver: Resolver;
  readonly names: readonly string[];
  /** Those that a rollout asked for. */
  readonly used: Set<string>;
}

/** Templates that name each other: that they exist, and do not go round in circles. */
export function checkTemplates(raw: RawConfig, report: Report): Templates {
  const given = isMapping(raw.analysisTemplates) ? Object.entries(raw.analysisTemplates ?? {}) : [];
  const names = given.map(([name]) => name);
  const readable = (name: string, template: RawTemplate) =>
    isMapping(template) &&
    (template.metrics === undefined ||
      (Array.isArray(template.metrics) && template.metrics.length <= MAX_METRICS)) &&
    ['args', 'templates'].every((key) => report.isSound(['analysisTemplates', name, key]));
  const sound = new Map(given.filter(([name, template]) => readable(name, template)));
  const unusable = unusableParts(sound, report);
  const problems = toldOnce(report);
  for (const [name, template] of sound) {
    const refs = (template.templates ?? []).map(({ templateName }, i) => ({
      name: templateName,
      path: ['analysisTemplates', name, 'templates', i, 'templateName'],
    }));
    checkNamed(refs, names, problems);
  }
  checkCircles(sound, problems);
  const templates = new Map([...sound].filter(([name, template]) => readable(name, template)));
  const budget = { left: RESOLVE_BUDGET };
  const resolver = { templates, unusable, problems, budget, resolveFile: (file: string) => file };
  return { resolver, names, used: new Set() };
}

/** Parts that the schema refused, before anything else is told of them. */
function unusableParts(templates: ReadonlyMap<string, RawTemplate>, report: Report): Set<string> {
  const parts = [...templates].flatMap(([name, { metrics }]): Path[] => {
    const path = ['analysisTemplates', name];
    const rules = [
      [...path, 'dryRun'],
      [...path, 'measurementRetention'],
    ];
    return [...rules, ...(metrics ?? []).map((_, i) => [...path, 'metrics', i])];
  });
  return new Set(parts.filter((path) => !report.isSound(path)).map(pointerOf));
}

/** That named templates exist, and none is named twice. */
export function checkNamed(
  refs: readonly { readonly name: string; readonly path: Path }[],
  names: readonly string[],
  problems: Problems,
): void {
  const seen = new Set<string>();
  for (const { name, path } of refs) {
    if (!names.includes(name)) {
      const meant = closest(name, names);
      const shown = names.slice(0, 10).join(', ');
      const known =
        names.length === 0
          ? 'define it under analysisTemplates at the top level'
          : `the templates are ${shown}`;
      problems.error(path, 'is not an analysis template', meant === null ? known : `did you mean ${meant}?`);
    } else if (seen.has(name)) problems.error(path, 'stands in the list twice', 'remove it');
    seen.add(name);
  }
}

/** Depth-first, each template once; the reference that closes a circle is the one that is told. */
function checkCircles(templates: ReadonlyMap<string, RawTemplate>, problems: Problems): void {
  /** Levels of templates below a template. */
  const depths = new Map<string, number>();
  const visit = (name: string, trail: readonly string[]): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    let depth = 0;
    for (const [i, { templateName }] of (templates.get(name)?.templates ?? []).entries()) {
      const path = ['analysisTemplates', name, 'templates', i, 'templateName'];
      const start = [...trail, name].indexOf(templateName);
      if (start >= 0) {
        const circle = [...trail, name].slice(start);
        const message = `leads back to itself: ${[...circle, templateName].slice(0, 10).join(' → ')}`;
        problems.error(path, message, 'remove one of these references');
      } else if (trail.length >= MAX_NESTING) {
        problems.error(path, `nests templates more than ${MAX_NESTING} deep`, 'name the template directly');
      } else {
        depth = Math.max(depth, 1 + visit(templateName, [...trail, name]));
      }
    }
    depths.set(name, depth);
    return depth;
  };
  for (const name of templates.keys()) visit(name, []);
}

/** An analysis of a rollout: its templates exist, and with its arguments all of it can be measured. */
export function checkUse(use: AnalysisUse, { resolver, names, used }: Templates) {
  for (const { name } of use.templates) used.add(name);
  checkNamed(use.templates, names, resolver.problems);
  return resolveMetrics(use, resolver);
}

/** Templates that no rollout asks for are looked at as far as that is possible without its arguments. */
export function checkUnused({ resolver, used }: Templates): void {
  const { templates } = resolver;
  const inner = [...templates.values()].flatMap((raw) =>
    (raw.templates ?? []).map(({ templateName }) => templateName),
  );
  const reached = new Set([...inner, ...used]);
  for (const name of templates.keys()) {
    if (reached.has(name)) continue;
    const path = ['analysisTemplates', name];
    resolveMetrics(
      {
        path,
        templates: [{ name, path }],
        args: undefined,
        dryRun: undefined,
        measurementRetention: undefined,
        rolled: null,
      },
      resolver,
    );
  }
}
