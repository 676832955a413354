import { percentBp } from './quantity.ts';
import type { RawService } from './schema.ts';

export interface CanaryRole {
  readonly version: string;
  readonly weightBp: number;
}

/** Which versions of a service play which part, with its short forms written out. */
export interface Roles {
  /** Null when the service names none and has several versions. */
  readonly stable: string | null;
  readonly canaries: readonly CanaryRole[];
}

/** Names may be those of no version; the check tells. */
export function rolesOf(service: RawService): Roles {
  const versions = Object.keys(service.versions);
  const only = versions.length === 1 ? (versions[0] as string) : null;
  const listed = service.canaries ?? [];
  const single =
    service.canary === undefined ? [] : [{ version: service.canary, weight: service.weight ?? 0 }];
  return {
    stable: service.stable ?? only,
    canaries: [...single, ...listed].map(({ version, weight }) => ({
      version,
      // Roles are asked for before it is known whether the weights are numbers.
      weightBp: typeof weight === 'number' ? (percentBp(weight) ?? 0) : 0,
    })),
  };
}

/** The version that a rule's `use` names, or null: `stable`, `canary` where there is one, or a version's own name. */
export function versionOfUse(use: string, roles: Roles, versions: readonly string[]): string | null {
  if (use === 'stable' && roles.stable !== null) return roles.stable;
  const only = roles.canaries.length === 1 ? roles.canaries[0] : undefined;
  if (use === 'canary' && only !== undefined) return only.version;
  return versions.includes(use) ? use : null;
}
