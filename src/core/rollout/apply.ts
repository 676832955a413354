import { type Condition, type Mirror, type Rule, type Service, type Share, WHOLE_BP } from '../model.ts';
import type { RolloutPlan } from './plan.ts';
import { type Settings, settingsOf } from './settings.ts';
import type { RolloutState } from './state.ts';

/**
 * The service as the rollout's state wants it: shares, rules and mirror.
 *
 * Order of the rules: the routes that steps set, in the order of `managedRoutes`;
 * the config's own rules; the scopes of the steps. A rule of the config that
 * forces a version goes on doing so whatever becomes of the rollout; one that
 * gives the canary a weight counts while steps run, gives nobody to it before
 * and after an abort, and everybody once it is completed.
 *
 * @param service as its config compiles it
 * @param state null: a state that cannot be used, so stable serves everyone
 */
export function applyRollout(service: Service, plan: RolloutPlan, state: RolloutState | null): Service {
  const settings = settingsOf(plan, state);
  const canary = indexOf(service, plan.canary);
  return {
    ...service,
    shares: sharesOf(service, settings, canary),
    rules: [
      ...routeRules(plan, settings, canary),
      ...service.rules.map((rule) => ownRule(rule, settings, canary)),
      ...scopeRules(settings, canary),
    ],
    mirror: service.mirror === null ? null : mirrorOf(service.mirror, plan, settings),
  };
}

function sharesOf(service: Service, { everyoneBp, experiment }: Settings, canary: number): Share[] {
  const weights = new Map([[canary, everyoneBp]]);
  let leftBp = WHOLE_BP - everyoneBp;
  for (const { version, weightBp } of experiment) {
    const index = indexOf(service, version);
    // What an experiment takes it takes from stable, and stable has no more than this.
    const given = index === service.stable ? 0 : Math.min(weightBp, leftBp);
    if (given === 0) continue;
    weights.set(index, (weights.get(index) ?? 0) + given);
    leftBp -= given;
  }
  return [...weights].map(([version, weightBp]) => ({ version, weightBp }));
}

function routeRules(plan: RolloutPlan, { headerRoutes }: Settings, canary: number): Rule[] {
  return plan.managedRoutes.flatMap((name) => {
    const when = headerRoutes.get(name);
    return when === undefined
      ? []
      : [{ id: `route ${name}`, when, then: { kind: 'use' as const, version: canary } }];
  });
}

function ownRule(rule: Rule, { ruleWeights }: Settings, canary: number): Rule {
  if (rule.then.kind === 'use' || ruleWeights === 'configured') return rule;
  const weightBp = ruleWeights === 'all' ? WHOLE_BP : 0;
  const shares = rule.then.shares.map((share) => (share.version === canary ? { ...share, weightBp } : share));
  return { ...rule, then: { kind: 'split', shares } };
}

function scopeRules({ scopes }: Settings, canary: number): Rule[] {
  return scopes.map(({ label, when, weightBp }) => ({
    id: `scope ${label}`,
    when,
    then: { kind: 'split', shares: [{ version: canary, weightBp }] },
  }));
}

function mirrorOf(mirror: Mirror, plan: RolloutPlan, { mirrorBp, mirrorRoutes }: Settings): Mirror {
  const routes = plan.managedRoutes.flatMap((name) => {
    const route = mirrorRoutes.get(name);
    return route === undefined
      ? []
      : [{ name, percentBp: route.percentBp, when: route.when as Condition | null }];
  });
  return { ...mirror, percentBp: mirrorBp ?? mirror.percentBp, routes };
}

function indexOf(service: Service, version: string): number {
  const index = service.versions.findIndex(({ name }) => name === version);
  if (index < 0) throw new Error(`${service.name} has no version ${version}`);
  return index;
}
