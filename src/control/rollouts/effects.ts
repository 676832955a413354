import { measurementOf } from '../../core/rollout/analyses.ts';
import { phaseOf } from '../../core/rollout/phase.ts';
import type { NotifyKind, Webhook } from '../../core/rollout/plan.ts';
import { type Effect, HISTORY_KINDS, type HistoryEntry, type HistoryKind } from '../../core/rollout/state.ts';
import type { HookAnswer, HookCaller, Log, MeasureContext, MetricSource } from '../../ports.ts';
import type { Notifier } from '../notify.ts';
import type { Slot } from './slot.ts';

export interface EffectDeps {
  readonly source: MetricSource;
  readonly callHook: HookCaller;
  readonly notify: Notifier;
  readonly log: Log;
  readonly timeScale: number;
}

/** Carries effects out, in order and without waiting; what comes of them comes back to the slot as events. */
export function carryOut(deps: EffectDeps, slot: Slot, effects: readonly Effect[]): void {
  for (const effect of effects) {
    if (effect.kind === 'measure') void measure(deps, slot, effect.runId, effect.metric);
    else if (effect.kind === 'call') void call(deps, slot, effect.hook);
    else tell(deps, slot, effect.entry);
  }
}

async function measure(deps: EffectDeps, slot: Slot, runId: number, name: string): Promise<void> {
  const found = measurementOf(slot, runId, name);
  if (found === null) return;
  const { service, stable, canary } = slot.plan;
  const runningMs = (slot.at().nowMs - found.run.startedAtMs) / deps.timeScale;
  const context: MeasureContext = { service, stable, canary, runningMs };
  const outcome = await deps.source.measure(found.metric, context, slot.stopping.signal);
  await slot.handle({ kind: 'measured', runId, metric: name, outcome });
}

async function call(deps: EffectDeps, slot: Slot, name: string): Promise<void> {
  const hook = [...slot.plan.requires, ...slot.plan.webhooks].find((one) => one.name === name);
  if (hook === undefined) return;
  const answer = await callHook(deps, slot, hook);
  if (hook.type === 'post-rollout' && !answer.ok) {
    const fields = { service: slot.plan.service, hook: name };
    deps.log.warn(fields, `post-rollout hook said no, which changes nothing: ${answer.detail}`);
  }
  await slot.handle({ kind: 'answered', hook: name, ...answer });
}

/** With Flagger's body: name, namespace, phase and the hook's metadata. */
export function callHook(
  deps: Pick<EffectDeps, 'callHook'>,
  slot: Slot,
  hook: Webhook,
  metadata: Readonly<Record<string, string>> = {},
): Promise<HookAnswer> {
  const body = {
    name: slot.plan.service,
    namespace: '',
    phase: phaseOf(slot.plan, slot.state).phase,
    canary: slot.plan.canary,
    checksum: slot.plan.canaryDefinition,
    metadata: { ...hook.metadata, ...metadata },
  };
  return deps.callHook(hook, body, slot.stopping.signal);
}

/** Who is told of which entry. */
const NOTIFIED: Partial<Record<HistoryKind, NotifyKind>> = {
  started: 'started',
  retried: 'started',
  restarted: 'started',
  step: 'step',
  weight: 'step',
  promoted: 'step',
  paused: 'paused',
  stuck: 'paused',
  held: 'paused',
  aborted: 'aborted',
  undone: 'aborted',
  completed: 'completed',
};

const WARNINGS: readonly HistoryKind[] = HISTORY_KINDS.filter((kind) =>
  ['refused', 'held', 'stuck', 'aborted', 'deadline'].includes(kind),
);

function tell(deps: EffectDeps, slot: Slot, entry: HistoryEntry): void {
  const { plan } = slot;
  const warning = WARNINGS.includes(entry.kind);
  const fields = {
    service: plan.service,
    rollout: entry.number,
    event: entry.kind,
    actor: entry.actor,
    weight: entry.weight,
    ...(entry.evidence.length > 0 ? { evidence: entry.evidence } : {}),
  };
  deps.log[warning ? 'warn' : 'info'](fields, `rollout: ${entry.cause}`);
  const kind = NOTIFIED[entry.kind];
  if (kind !== undefined && plan.notifications.length > 0) {
    const { service, stable, canary, steps } = plan;
    deps.notify(plan.notifications, { ...entry, kind, service, stable, canary, steps: steps.length });
  }
  for (const hook of plan.webhooks.filter(({ type }) => type === 'event')) {
    const metadata = {
      eventMessage: entry.cause,
      eventType: warning ? 'Warning' : 'Normal',
      timestamp: String(entry.wallMs),
    };
    void callHook(deps, slot, hook, metadata);
  }
}
