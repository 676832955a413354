import type { Service } from '../../core/model.ts';

/** Services and versions of them that a history is kept of. */
export const MAX_SERVICES = 100;
export const MAX_VERSIONS = 200;

/**
 * Names of the services that a history is kept of: those that something is watched on first
 * (rollouts, gates, experiments), each group as the config has it. One that finds no room is left
 * out whole; smaller ones after it may still fit.
 */
export function selectServices(
  services: readonly Pick<Service, 'name' | 'versions'>[],
  watched: ReadonlySet<string>,
): ReadonlySet<string> {
  const ranked = [
    ...services.filter(({ name }) => watched.has(name)),
    ...services.filter(({ name }) => !watched.has(name)),
  ];
  const kept = new Set<string>();
  let versions = 0;
  for (const service of ranked) {
    if (kept.size >= MAX_SERVICES) break;
    if (versions + service.versions.length > MAX_VERSIONS) continue;
    versions += service.versions.length;
    kept.add(service.name);
  }
  return kept;
}
