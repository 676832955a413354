import type { Service, Split } from '../model.ts';
import { type DescribedRequest, explain } from '../split/explain.ts';
import { applyRollout } from './apply.ts';
import { describeStep } from './describe.ts';
import { initialState } from './lifecycle.ts';
import type { RolloutPlan } from './plan.ts';
import { settingsOf } from './settings.ts';
import type { Progress, RolloutState } from './state.ts';

/** Where a request would go when the rollout has come to a step that changes who gets what. */
export interface ComingStep {
  /** 0-based, into the rollout's steps; as many as there are steps: the promotion that follows them. */
  readonly step: number;
  /** As the rollout's view has it, such as `setWeight 25`; or `promotion`. */
  readonly text: string;
  /** Percent in force for the canary then, inside the scope in force. */
  readonly weight: number;
  /** Null: left to chance. */
  readonly version: string | null;
  readonly because: string;
}

export interface ComingQuestion {
  readonly split: Split;
  /** As its config compiles it, without a rollout. */
  readonly service: Service;
  readonly plan: RolloutPlan;
  readonly state: RolloutState;
  readonly request: DescribedRequest;
  compile(source: string): (text: string) => boolean;
}

/**
 * Which version a request gets at each step ahead that changes who gets what, and by the promotion
 * after the last one where that changes it; by the code that the rollout itself goes by. Empty unless the steps run, or are about to.
 */
export function comingSteps(question: ComingQuestion): ComingStep[] {
  const { service, plan, state } = question;
  const { progress } = state;
  if (progress.kind !== 'stepping' && progress.kind !== 'starting') return [];
  const found: ComingStep[] = [];
  let before = state;
  for (let step = progress.kind === 'stepping' ? progress.index + 1 : 0; step <= plan.steps.length; step++) {
    const after = stateAt(plan, before, step);
    if (dealt(service, plan, before) !== dealt(service, plan, after)) {
      const next = comingStep(question, after, step);
      // After 100 % the promotion still opens the rules of the config, which is news for few.
      const isNews = step < plan.steps.length || !isSame(next, comingStep(question, before, step));
      if (isNews) found.push(next);
    }
    before = after;
  }
  return found;
}

/** The same of a rollout that nobody has begun, from its first step on. */
export function comingFromStart(question: Omit<ComingQuestion, 'state'>): ComingStep[] {
  const { canaryDefinition, stepsDefinition } = question.plan;
  const progress: Progress = { kind: 'starting' };
  const state = { ...initialState(question.plan), canaryDefinition, stepsDefinition, progress };
  return comingSteps({ ...question, state });
}

function isSame(a: ComingStep, b: ComingStep): boolean {
  return a.version === b.version && a.weight === b.weight;
}

/** The state in which a step has just been entered. */
function stateAt(plan: RolloutPlan, before: RolloutState, index: number): RolloutState {
  const step = plan.steps[index];
  const progress: Progress =
    step === undefined
      ? { kind: 'completed', status: 'Promoted' }
      : { kind: 'stepping', index, enteredAtMs: before.clockMs, runs: [], stuck: null };
  const sets = step === undefined || step.kind === 'setWeight' || step.kind === 'setScope';
  return { ...before, progress, weightOverrideBp: sets ? null : before.weightOverrideBp };
}

/** Who gets what, as a text that is equal where that is. */
function dealt(service: Service, plan: RolloutPlan, state: RolloutState): string {
  const { shares, rules } = applyRollout(service, plan, state);
  return JSON.stringify([shares.filter(({ weightBp }) => weightBp > 0), rules]);
}

function comingStep(
  { split, service, plan, request, compile }: ComingQuestion,
  state: RolloutState,
  index: number,
): ComingStep {
  const { version, because } = explain(split, applyRollout(service, plan, state), request, compile);
  const step = plan.steps[index];
  return {
    step: index,
    text: step === undefined ? 'promotion' : describeStep(step),
    weight: settingsOf(plan, state).weightBp / 100,
    version,
    because,
  };
}
