import { type Draft, hooksOf } from './draft.ts';
import { abort } from './lifecycle.ts';
import type { Webhook } from './plan.ts';
import type { Gate } from './state.ts';

/**
 * Gates: points at which hooks are asked one after the other before the rollout
 * goes on. A no is asked again after the hook's interval, for as long as it
 * takes; only a `pre-rollout` hook that goes on saying no aborts (Flagger counts
 * those as failed checks).
 */
const ASKED_AT: Record<Gate['point'], readonly Webhook['type'][]> = {
  start: ['requires', 'confirm-rollout', 'pre-rollout'],
  traffic: ['confirm-traffic-increase'],
  promotion: ['confirm-promotion'],
};

export function gateHooks({ plan }: Pick<Draft, 'plan'>, point: Gate['point']): readonly Webhook[] {
  return hooksOf(plan, ASKED_AT[point]);
}

/** Whether every hook of the open gate has said yes. */
export function gatePassed(d: Pick<Draft, 'plan'>, gate: Gate): boolean {
  return gate.index >= gateHooks(d, gate.point).length;
}

/** Asks the hook whose turn it is, when it is due. */
export function askGate(d: Draft): void {
  const { gate } = d.state;
  if (gate === null || gate.inFlight || gate.nextAtMs > d.nowMs) return;
  const hook = gateHooks(d, gate.point)[gate.index];
  if (hook === undefined) return;
  d.patch({ gate: { ...gate, inFlight: true } });
  d.call(hook.name);
}

export function answerGate(d: Draft, name: string, ok: boolean, detail: string): void {
  const { gate } = d.state;
  if (gate === null || !gate.inFlight) return;
  const hook = gateHooks(d, gate.point)[gate.index];
  if (hook?.name !== name) return;
  if (ok) {
    const next = { ...gate, index: gate.index + 1, inFlight: false, nextAtMs: d.nowMs };
    d.patch({ gate: { ...next, refusal: '', refusals: 0 } });
    return d.progressed();
  }
  const refusals = gate.refusals + 1;
  const refusal = `${hook.type} ${hook.name} said no: ${detail}`;
  if (hook.type === 'pre-rollout' && refusals > hook.failureLimit) return abort(d, refusal, []);
  const nextAtMs = d.nowMs + hook.intervalMs;
  d.patch({ gate: { ...gate, inFlight: false, nextAtMs, refusal, refusals } });
  // Once a gate, not once a no: it may be asked every ten seconds for days.
  if (gate.refusal === '') d.note('refused', refusal);
}

/** `rollback` hooks are asked all the time while steps run; a yes takes the canary back. */
export function pollRollback(d: Draft): void {
  const hooks = d.hooks('rollback');
  if (hooks.length === 0 || d.state.progress.kind !== 'stepping') return;
  if (d.state.rollbackPollAtMs !== null && d.state.rollbackPollAtMs > d.nowMs) return;
  const intervalMs = Math.min(...hooks.map((hook) => hook.intervalMs));
  d.patch({ rollbackPollAtMs: d.nowMs + intervalMs });
  for (const hook of hooks) d.call(hook.name);
}

export function answerRollback(d: Draft, name: string, ok: boolean, detail: string): void {
  const hook = d.hooks('rollback').find((one) => one.name === name);
  if (hook === undefined || !ok || d.state.progress.kind !== 'stepping') return;
  abort(d, `rollback hook ${name} asked for it`, detail === '' ? [] : [detail]);
}
