import type { Condition } from '../model.ts';
import type { RolloutPlan, Step } from './plan.ts';
import type { RolloutState } from './state.ts';

/** What a rollout asks of the Split at one moment. */
export interface Settings {
  /** The canary's share of those in no scope that came before; basis points. */
  readonly everyoneBp: number;
  /** Groups with a weight of their own, in the order in which they were begun. */
  readonly scopes: readonly ScopeWeight[];
  /** Label of the scope in force; null: everyone. */
  readonly scope: string | null;
  /** Its weight, which is what `weight` means to people. */
  readonly weightBp: number;
  readonly experiment: readonly { readonly version: string; readonly weightBp: number }[];
  readonly headerRoutes: ReadonlyMap<string, Condition>;
  readonly mirrorRoutes: ReadonlyMap<string, { readonly percentBp: number; readonly when: Condition }>;
  /** Null: as the config says. */
  readonly mirrorBp: number | null;
  /** What becomes of the weights that the config's own rules give to the canary. */
  readonly ruleWeights: 'none' | 'configured' | 'all';
}

export interface ScopeWeight {
  readonly label: string;
  readonly when: Condition;
  readonly weightBp: number;
}

const NO_ONE: Settings = {
  everyoneBp: 0,
  scopes: [],
  scope: null,
  weightBp: 0,
  experiment: [],
  headerRoutes: new Map(),
  mirrorRoutes: new Map(),
  mirrorBp: null,
  ruleWeights: 'none',
};

const EVERYONE: Settings = { ...NO_ONE, everyoneBp: 10_000, weightBp: 10_000, ruleWeights: 'all' };

/** What the state asks for; null, for a state that cannot be used, asks for stable alone. */
export function settingsOf(plan: RolloutPlan, state: RolloutState | null): Settings {
  if (state === null || !isAbout(plan, state)) return NO_ONE;
  const { progress } = state;
  if (progress.kind === 'completed') return EVERYONE;
  if (progress.kind !== 'stepping') return NO_ONE;
  const settings = settingsAt(plan, progress.index);
  const step = plan.steps[progress.index];
  const experiment = step?.kind === 'experiment' ? step.templates : [];
  return withWeight({ ...settings, experiment }, state.weightOverrideBp);
}

/**
 * Whether the state is one of this plan. A config may have changed while nobody
 * ran: what an older canary had come to is nothing that a new one may be given.
 */
function isAbout(plan: RolloutPlan, { canaryDefinition, stepsDefinition, progress }: RolloutState): boolean {
  if (canaryDefinition !== plan.canaryDefinition) return false;
  return progress.kind !== 'stepping' || stepsDefinition === plan.stepsDefinition;
}

/** Whether the weights give anyone to the canary. */
export function isAnyoneExposed({ everyoneBp, scopes, experiment }: Settings): boolean {
  return everyoneBp > 0 || experiment.length > 0 || scopes.some(({ weightBp }) => weightBp > 0);
}

/** Basis points of the scope in force that get the canary. */
export function weightInForce(plan: RolloutPlan, state: RolloutState): number {
  return settingsOf(plan, state).weightBp;
}

/**
 * What the steps up to and with `index` have set. A weight counts inside the
 * scope set last; a scope begins at 0, and those before it keep what they had,
 * because nobody is moved off the canary by going on to the next group.
 */
export function settingsAt(plan: RolloutPlan, index: number): Settings {
  const fold = new Fold();
  for (const step of plan.steps.slice(0, index + 1)) fold.take(step);
  return fold.settings();
}

class Fold {
  #everyoneBp = 0;
  /** By label; Map keeps the order in which they were begun. */
  readonly #scopes = new Map<string, ScopeWeight>();
  #scope: string | null = null;
  readonly #headerRoutes = new Map<string, Condition>();
  readonly #mirrorRoutes = new Map<string, { percentBp: number; when: Condition }>();
  #mirrorBp: number | null = null;

  take(step: Step): void {
    switch (step.kind) {
      case 'setWeight':
        return this.#setWeight(step.weightBp);
      case 'setScope':
        return this.#setScope(step.label, step.when);
      case 'setMirror':
        this.#mirrorBp = step.percentBp;
        return;
      case 'setHeaderRoute':
        this.#headerRoutes.delete(step.name);
        if (step.when !== null) this.#headerRoutes.set(step.name, step.when);
        return;
      case 'setMirrorRoute':
        this.#mirrorRoutes.delete(step.name);
        if (step.when !== null) {
          this.#mirrorRoutes.set(step.name, { percentBp: step.percentBp, when: step.when });
        }
        return;
      default:
        return;
    }
  }

  #setWeight(weightBp: number): void {
    const scope = this.#scope === null ? undefined : this.#scopes.get(this.#scope);
    if (scope === undefined) this.#everyoneBp = weightBp;
    else this.#scopes.set(scope.label, { ...scope, weightBp });
  }

  #setScope(label: string, when: Condition | null): void {
    this.#scope = when === null ? null : label;
    if (when !== null && !this.#scopes.has(label)) this.#scopes.set(label, { label, when, weightBp: 0 });
  }

  settings(): Settings {
    const scope = this.#scope === null ? undefined : this.#scopes.get(this.#scope);
    return {
      everyoneBp: this.#everyoneBp,
      scopes: [...this.#scopes.values()],
      scope: this.#scope,
      weightBp: scope === undefined ? this.#everyoneBp : scope.weightBp,
      experiment: [],
      headerRoutes: this.#headerRoutes,
      mirrorRoutes: this.#mirrorRoutes,
      mirrorBp: this.#mirrorBp,
      ruleWeights: 'configured',
    };
  }
}

/** `set-weight` by hand counts where the steps' own weight would. */
function withWeight(settings: Settings, overrideBp: number | null): Settings {
  if (overrideBp === null) return settings;
  const { scope, scopes } = settings;
  if (scope === null) return { ...settings, everyoneBp: overrideBp, weightBp: overrideBp };
  const changed = scopes.map((one) => (one.label === scope ? { ...one, weightBp: overrideBp } : one));
  return { ...settings, scopes: changed, weightBp: overrideBp };
}
