import type { Backend, IngressFacts, Route } from './ingress.ts';
import type { RolloutFacts } from './rollout.ts';

/** Requests of one host and path, and where they may go. */
export interface Unit {
  readonly host: string | null;
  readonly path: string;
  readonly primary: IngressFacts | null;
  readonly canary: IngressFacts | null;
  readonly stableBackend: Backend | null;
  readonly canaryBackend: Backend | null;
}

/** What becomes one service of the config. */
export interface Group {
  readonly rollout: RolloutFacts | null;
  /** At least one, unless a Rollout stands without an Ingress. */
  readonly units: readonly Unit[];
}

/** Pairs canary routes with the primary ones of the same host and path, as NGINX does. */
export function makeUnits(ingresses: readonly IngressFacts[]): Unit[] {
  const primaries = routesOf(ingresses.filter(({ canary }) => canary === null));
  const canaries = routesOf(ingresses.filter(({ canary }) => canary !== null));
  const units: Unit[] = [];
  for (const [id, primary] of primaries) {
    units.push(unitOf(primary, canaries.get(id) ?? null));
    canaries.delete(id);
  }
  for (const canary of canaries.values()) units.push(unitOf(null, canary));
  return units;
}

interface Owned {
  readonly ingress: IngressFacts;
  readonly route: Route;
}

function routesOf(ingresses: readonly IngressFacts[]): Map<string, Owned> {
  const found = new Map<string, Owned>();
  for (const ingress of ingresses) {
    for (const route of ingress.routes) {
      const id = `${route.host ?? ''} ${route.path}`;
      const first = found.get(id);
      if (first === undefined) found.set(id, { ingress, route });
      else tellRepeated(first, { ingress, route });
    }
  }
  return found;
}

function tellRepeated(first: Owned, second: Owned): void {
  const where = `the same host and path as ${first.route.at.place}`;
  if (second.ingress.canary !== null && first.ingress !== second.ingress) {
    second.route.at.note(`not carried over: ${where}, and NGINX takes one canary for each`);
  } else if (sameBackend(first.route.backend, second.route.backend)) {
    second.route.at.note(`not carried over: ${where}, and the same backend`);
  } else second.route.at.fail(`has ${where}; a service has one stable version`);
}

function sameBackend(a: Backend, b: Backend): boolean {
  return a.service === b.service && a.namespace === b.namespace && a.port === b.port;
}

function unitOf(primary: Owned | null, canary: Owned | null): Unit {
  const route = (primary ?? canary)?.route;
  return {
    host: route?.host ?? null,
    path: route?.path ?? '/',
    primary: primary?.ingress ?? null,
    canary: canary?.ingress ?? null,
    stableBackend: primary?.route.backend ?? null,
    canaryBackend: canary?.route.backend ?? null,
  };
}

/** Gives each Rollout the units that lead to it; each unit left is a service of its own. */
export function makeGroups(units: readonly Unit[], rollouts: readonly RolloutFacts[]): Group[] {
  const left = new Set(units);
  const groups = rollouts.map((rollout): Group => {
    const own = [...left].filter((unit) => leadsTo(unit, rollout));
    for (const unit of own) left.delete(unit);
    return { rollout, units: own };
  });
  const [only] = groups;
  if (groups.length === 1 && only !== undefined && only.units.length === 0 && isOnePair([...left])) {
    const [first] = left;
    first?.primary?.manifest.root.note(`is taken to lead to the Rollout ${only.rollout?.manifest.name}`);
    return [{ rollout: only.rollout, units: [...left] }];
  }
  return [...groups, ...[...left].map((unit) => ({ rollout: null, units: [unit] }))];
}

function leadsTo(unit: Unit, rollout: RolloutFacts): boolean {
  const { stableService, canaryService, stableIngresses, manifest } = rollout;
  const namespace = (unit.primary ?? unit.canary)?.manifest.namespace ?? null;
  if (manifest.namespace !== null && namespace !== null && namespace !== manifest.namespace) return false;
  // An Ingress may lead to other Services too; Argo takes the rules of the stable one.
  const byIngress = stableService === null && unit.primary !== null;
  return (
    (byIngress && stableIngresses.includes(unit.primary.manifest.name)) ||
    (unit.stableBackend !== null && unit.stableBackend.service === stableService) ||
    (unit.canaryBackend !== null && unit.canaryBackend.service === canaryService)
  );
}

/** Whether all lead to the same two Services. */
function isOnePair(units: readonly Unit[]): boolean {
  const ids = new Set(
    units.map((unit) => `${unit.stableBackend?.service ?? ''} ${unit.canaryBackend?.service ?? ''}`),
  );
  return ids.size <= 1;
}
