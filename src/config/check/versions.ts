import { readOrigin } from '../forms/addresses.ts';
import { taken } from '../forms/reading.ts';
import type { Path } from '../issue.ts';
import type { RawService, RawUpstream, RawVersion } from '../schema.ts';
import { mergeUpstream, upstreamConflicts } from '../upstream.ts';
import type { Report } from '../validate/report.ts';

/** Endpoints and upstream settings of every version. */
export function checkVersions(service: RawService, path: Path, report: Report): void {
  const shared = report.isSound([...path, 'upstream']);
  const base = shared ? (service.upstream ?? {}) : {};
  const told = new Set<string>();
  for (const { key, message, fix } of upstreamConflicts(base)) {
    report.error([...path, 'upstream', key], message, fix, 'key');
    told.add(key);
  }
  warnUnverified(base, [...path, 'upstream'], report);
  for (const [name, version] of Object.entries(service.versions)) {
    const at = [...path, 'versions', name];
    if (!report.isSound(at)) continue;
    checkEndpoints(version, at, report);
    warnUnverified(version, at, report);
    if (!shared) continue;
    for (const { key, message, fix } of upstreamConflicts(mergeUpstream(base, version))) {
      if (!told.has(key)) report.error([...at, key], message, fix, 'key');
    }
  }
}

function warnUnverified(settings: RawUpstream, at: Path, report: Report): void {
  if (settings.tls?.verify !== false) return;
  report.warn([...at, 'tls', 'verify'], 'lets any certificate pass', 'name the authority in `ca` instead');
}

function checkEndpoints(version: RawVersion, at: Path, report: Report): void {
  if (version.url !== undefined && version.urls !== undefined) {
    report.error(
      [...at, 'urls'],
      'stands beside `url`',
      'keep one of the two, `urls` for several endpoints',
      'key',
    );
    return;
  }
  if (version.url === undefined && version.urls === undefined) {
    report.error(at, 'has no endpoint', 'add url: http://host:port, or urls: for several', 'key');
    return;
  }
  const seen = new Set<string>();
  for (const [i, url] of (version.urls ?? []).entries()) {
    const origin = taken(readOrigin(url));
    if (seen.has(origin)) report.error([...at, 'urls', i], 'stands in the list twice', 'remove it');
    seen.add(origin);
  }
  const origins = version.url === undefined ? [...seen] : [taken(readOrigin(version.url))];
  if (version.tls !== undefined && !origins.some((origin) => origin.startsWith('https:'))) {
    report.error(
      [...at, 'tls'],
      'has no https:// endpoint to be for',
      'write https:// in the URL, or remove tls',
      'key',
    );
  }
}
