import { assertNever } from '../model.ts';
import { forgetMeasurements, recordMeasurement } from './analyses.ts';
import { obey } from './commands.ts';
import { type Compile, Draft } from './draft.ts';
import { answerGate, answerRollback } from './gates.ts';
import type { RolloutPlan } from './plan.ts';
import { replan } from './planning.ts';
import { settle } from './settle.ts';
import type { Instant, RolloutEvent, RolloutState, Transition } from './state.ts';
import { takeVerdict } from './verdicts.ts';

export { initialState } from './lifecycle.ts';

/**
 * The whole of a rollout's behaviour: what an event makes of a state. Pure: equal
 * arguments give equal results, and the arguments stay as they are.
 *
 * @param at never before the state's clock; an earlier instant counts as that clock
 * @param compile for the patterns of conditions
 */
export function transition(
  plan: RolloutPlan,
  state: RolloutState,
  event: RolloutEvent,
  at: Instant,
  compile: Compile,
): Transition {
  const nowMs = Math.max(at.nowMs, state.clockMs);
  const d = new Draft(plan, state, { nowMs, wallMs: at.wallMs }, compile);
  apply(d, event);
  d.actor = 'coalmine';
  settle(d);
  const changed = d.state !== state;
  return {
    state: changed ? { ...d.state, clockMs: nowMs } : state,
    effects: d.effects,
    refusal: d.refusal,
  };
}

function apply(d: Draft, event: RolloutEvent): void {
  switch (event.kind) {
    case 'tick':
      return;
    case 'command':
      return obey(d, event.command, event.actor);
    case 'measured':
      return recordMeasurement(d, event.runId, event.metric, event.outcome);
    case 'answered':
      answerGate(d, event.hook, event.ok, event.detail);
      return answerRollback(d, event.hook, event.ok, event.detail);
    case 'judged':
      return takeVerdict(d, event.verdict, event.text, event.evidence);
    case 'planned':
      return replan(d);
    case 'restored':
      forgetMeasurements(d);
      if (d.state.gate !== null) d.patch({ gate: { ...d.state.gate, inFlight: false } });
      return;
    default:
      return assertNever(event);
  }
}
