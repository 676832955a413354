import { isDeepStrictEqual } from 'node:util';
import { carryStages } from '../config/diff.ts';
import type { Config } from '../config/load.ts';
import { type Service, type Share, type Split, WHOLE_BP } from '../core/model.ts';

/** A refused weight: `code` for programs, `message` for people. */
export interface WeightProblem {
  readonly code: 'no_canary' | 'unknown_version' | 'ambiguous_canary' | 'weights_over_100';
  readonly message: string;
}

export type Shares = { readonly ok: true; readonly shares: readonly Share[]; readonly version: string };

/**
 * The shares of a service with one canary's weight changed.
 *
 * `version` may be null where the service has one canary only. Stable has no
 * weight of its own: it gets what the canaries leave over.
 */
export function sharesWith(
  service: Service,
  version: string | null,
  weightBp: number,
): Shares | { readonly ok: false; readonly problem: WeightProblem } {
  const target = canaryOf(service, version);
  if (typeof target !== 'number') return { ok: false, problem: target };
  const shares = service.shares.map((share) => (share.version === target ? { ...share, weightBp } : share));
  const sum = shares.reduce((total, share) => total + share.weightBp, 0);
  if (sum > WHOLE_BP) {
    const message = `the canaries of ${service.name} would get ${sum / 100} % together; the sum may be 100 at most`;
    return { ok: false, problem: { code: 'weights_over_100', message } };
  }
  return { ok: true, shares, version: nameOf(service, target) };
}

function canaryOf(service: Service, version: string | null): number | WeightProblem {
  const canaries = service.shares.map((share) => nameOf(service, share.version));
  if (canaries.length === 0) {
    const message = `${service.name} has no canary; name one in the config (canary: …) first`;
    return { code: 'no_canary', message };
  }
  if (version === null) {
    const [only, second] = service.shares;
    if (only !== undefined && second === undefined) return only.version;
    const message = `${service.name} has several canaries (${canaries.join(', ')}); say which one`;
    return { code: 'ambiguous_canary', message };
  }
  const share = service.shares.find((one) => nameOf(service, one.version) === version);
  if (share !== undefined) return share.version;
  const message = `${version} is not a canary of ${service.name}; its canaries: ${canaries.join(', ')}`;
  return { code: 'unknown_version', message };
}

/** The services of the Split with those shares in one of them. */
export function withShares(split: Split, name: string, shares: readonly Share[]): Config['split'] {
  const { revision: _, ...rest } = split;
  const services = split.services.map((one) => (one.name === name ? { ...one, shares } : one));
  return { ...rest, services };
}

/**
 * Carries weights that were set by hand over a reload: a service whose config
 * did not change keeps the shares it has now, one that changed gets the file's.
 * What is a change is told by the stages, so a renewed certificate is none.
 *
 * @param walked services whose weights were a rollout's doing and nobody's hand
 */
export function keepSetWeights(
  running: Split,
  before: Config['split'],
  next: Config['split'],
  walked: ReadonlySet<string> = new Set(),
): Config['split'] {
  const unstaged = before.services.map((service) => ({ ...service, stage: 0 }));
  const compared = carryStages({ ...before, services: unstaged, revision: 0 }, next);
  const services = next.services.map((service, index) => {
    const known = unstaged.some((one) => one.name === service.name);
    const now = running.services.find((one) => one.name === service.name);
    if (!known || now === undefined || walked.has(service.name) || compared.services[index]?.stage !== 0)
      return service;
    return { ...service, shares: now.shares };
  });
  return { ...next, services };
}

/** Whether the shares in force differ from the file's. */
export function isSetByHand(service: Service, configured: Config['split']): boolean {
  const told = configured.services.find((one) => one.name === service.name);
  return told !== undefined && !isDeepStrictEqual(told.shares, service.shares);
}

function nameOf(service: Service, version: number): string {
  return service.versions[version]?.name ?? '';
}
