import type { Path } from '../issue.ts';
import type { RawRollout, RawStep } from '../schema.ts';
import type { AnalysisUse } from './analysis.ts';
import type { Rolled } from './arguments.ts';

/** The places of a rollout that ask for an analysis. */

type RawInline = NonNullable<RawStep['analysis']>;
type RawExperiment = NonNullable<RawStep['experiment']>;
export type RawBackground = NonNullable<RawRollout['analysis']>;

/** An inline or a background analysis. */
export function analysisUse(raw: RawInline | RawBackground, path: Path, rolled: Rolled): AnalysisUse {
  return {
    path,
    templates: raw.templates.map((named, i) => {
      const at = [...path, 'templates', i];
      return typeof named === 'string'
        ? { name: named, path: at }
        : { name: named.templateName, path: [...at, 'templateName'] };
    }),
    args: raw.args,
    dryRun: raw.dryRun,
    measurementRetention: raw.measurementRetention,
    rolled,
  };
}

/** Those of an experiment; its dry runs are for all of them together, and not in here. */
export function experimentUses(raw: RawExperiment, path: Path, rolled: Rolled): AnalysisUse[] {
  return (raw.analyses ?? []).map(({ templateName, args }, i) => {
    const at = [...path, 'analyses', i];
    return {
      path: at,
      templates: [{ name: templateName, path: [...at, 'templateName'] }],
      args,
      dryRun: undefined,
      measurementRetention: undefined,
      rolled,
    };
  });
}
