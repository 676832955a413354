import { checkFiles, type FileRef, type Files, fileRefs, type PemInspector } from './check/files.ts';
import { checkJudges } from './check/judge.ts';
import { checkListeners, checkRegion } from './check/listener.ts';
import { checkRollouts } from './check/rollout.ts';
import { checkServices } from './check/services.ts';
import type { ConfigIssue } from './issue.ts';
import type { Env } from './parse/env.ts';
import type { Source } from './parse/source.ts';
import type { RawConfig } from './schema.ts';
import { isMapping, Report } from './validate/report.ts';
import { checkSchema } from './validate/schema-check.ts';

/** A file whose every part has been looked at, short of the files that it names. */
export interface Checked {
  readonly raw: RawConfig;
  readonly report: Report;
  /** Files to read before `finishCheck`. */
  readonly refs: readonly FileRef[];
}

/**
 * All that is wrong with a parsed file, not only the first of it: the schema's
 * errors, then what no schema can say about the parts that the schema passed.
 */
export function checkConfig(source: Source, earlier: readonly ConfigIssue[], env: Env): Checked {
  const report = new Report(source, earlier);
  checkSchema(source, report);
  // What a check reads, the schema has passed: each asks `isSound` first.
  const raw = source.value as RawConfig;
  if (!isMapping(source.value) || !isMapping(raw.services)) return { raw, report, refs: [] };
  checkRegion(raw, env, report);
  checkListeners(raw, report);
  checkServices(raw, source, report);
  checkRollouts(raw, report);
  checkJudges(raw, report);
  return { raw, report, refs: fileRefs(raw, report) };
}

/** The second half, with the named files read. The issues are in the order of the file; none: it is sound. */
export function finishCheck(checked: Checked, files: Files, pem: PemInspector): readonly ConfigIssue[] {
  const { raw, report, refs } = checked;
  if (refs.length > 0) checkFiles(raw, refs, files, pem, report);
  return report.issues();
}
