import { DEFAULTS } from '../defaults.ts';
import { readMatchHost } from '../forms/addresses.ts';
import { readPathPrefix } from '../forms/paths.ts';
import { taken } from '../forms/reading.ts';
import type { Path } from '../issue.ts';
import type { Source } from '../parse/source.ts';
import type { RawConfig } from '../schema.ts';
import { isMapping, type Report } from '../validate/report.ts';
import { checkRules } from './rules.ts';
import { checkSticky } from './sticky.ts';
import { checkVersions } from './versions.ts';
import { checkRoles } from './weights.ts';

/**
 * What the schema cannot say about services. A part that the schema refused is
 * left out, and so is what depends on it; of the rest all is told at once.
 */
export function checkServices(raw: RawConfig, source: Source, report: Report): void {
  const seen = new Map<string, Path>();
  for (const [name, service] of Object.entries(raw.services)) {
    if (!isMapping(service)) continue;
    const path = ['services', name];
    if (report.isSound([...path, 'match'])) checkMatch(service.match ?? {}, path, seen, source, report);
    if (report.isSound([...path, 'sticky'])) checkSticky(service, path, report);
    if (!isMapping(service.versions) || Object.keys(service.versions).length === 0) continue;
    checkVersions(service, path, report);
    const known = ['stable', 'canary', 'canaries'].every((key) => report.isSound([...path, key]));
    if (!known) continue;
    checkRoles(service, path, report);
    checkRules(service, path, report);
  }
}

function checkMatch(
  match: { readonly host?: string; readonly path?: string },
  path: Path,
  seen: Map<string, Path>,
  source: Source,
  report: Report,
): void {
  const host = match.host === undefined ? '' : taken(readMatchHost(match.host));
  const prefix = taken(readPathPrefix(match.path ?? DEFAULTS.matchPath));
  const id = `${host} ${prefix}`;
  const first = seen.get(id);
  if (first === undefined) {
    seen.set(id, path);
    return;
  }
  const { line } = source.locate(first, 'key');
  const what = `${host === '' ? 'any host' : host}, path ${prefix}`;
  report.error(
    [...path, 'match'],
    `matches the same requests as ${first[1]} in line ${line} (${what})`,
    'give one of the two another host or path',
  );
}
