import type { RunState } from '../analysis/state.ts';
import type { RolloutPlan, Webhook } from './plan.ts';
import { weightInForce } from './settings.ts';
import type { Effect, HistoryEntry, HistoryKind, Instant, Progress, RolloutState } from './state.ts';

/** Entries that a state keeps; older ones went to the log when they were written. */
export const MAX_HISTORY = 200;
/** Definitions remembered for `rollbackWindow`. */
const MAX_COMPLETED = 50;
/** Text from people and from other services, in an entry. */
const MAX_TEXT = 500;

/** Turns a pattern's source into a linear-time test; see ports.ts. */
export type Compile = (source: string) => (text: string) => boolean;

/** In the order of the types, and within a type in that of the config. */
export function hooksOf(plan: RolloutPlan, types: readonly Webhook['type'][]): readonly Webhook[] {
  const all = [...plan.requires, ...plan.webhooks];
  return types.flatMap((type) => all.filter((hook) => hook.type === type));
}

/**
 * One transition under way: the state so far and the effects so far. The state
 * itself is never changed, only replaced.
 */
export class Draft {
  readonly plan: RolloutPlan;
  readonly at: Instant;
  readonly compile: Compile;
  readonly effects: Effect[] = [];
  state: RolloutState;
  actor = 'coalmine';
  refusal: string | null = null;

  constructor(plan: RolloutPlan, state: RolloutState, at: Instant, compile: Compile) {
    this.plan = plan;
    this.state = state;
    this.at = at;
    this.compile = compile;
  }

  get nowMs(): number {
    return this.at.nowMs;
  }

  patch(change: Partial<RolloutState>): void {
    this.state = { ...this.state, ...change };
  }

  /** Something advanced: the progress deadline counts from here. */
  progressed(): void {
    this.patch({ progressedAtMs: this.nowMs, deadlineTold: false });
  }

  refuse(reason: string): void {
    this.refusal = reason;
  }

  /** Writes an entry with the state as it is now, and tells whoever wants to be told. */
  note(kind: HistoryKind, cause: string, evidence: readonly string[] = []): void {
    const { progress, number, history } = this.state;
    const entry: HistoryEntry = {
      wallMs: this.at.wallMs,
      number,
      kind,
      actor: this.actor,
      cause: cause.slice(0, MAX_TEXT),
      step: progress.kind === 'stepping' && progress.index >= 0 ? progress.index : null,
      weight: weightInForce(this.plan, this.state) / 100,
      evidence: evidence.map((line) => line.slice(0, MAX_TEXT)),
    };
    this.patch({ history: [...history.slice(1 - MAX_HISTORY), entry] });
    this.effects.push({ kind: 'notify', entry });
  }

  call(hook: string): void {
    this.effects.push({ kind: 'call', hook });
  }

  hooks(...types: Webhook['type'][]): readonly Webhook[] {
    return hooksOf(this.plan, types);
  }

  nextRunId(): number {
    const id = this.state.nextRunId;
    this.patch({ nextRunId: id + 1 });
    return id;
  }

  /** Ends what only has a meaning while steps run. */
  leaveSteps(progress: Progress): void {
    this.patch({
      progress,
      userPaused: false,
      weightOverrideBp: null,
      background: null,
      verdict: null,
      hold: null,
      gate: null,
      rollbackPollAtMs: null,
    });
    this.progressed();
  }

  rememberCompleted(definition: string): void {
    const others = this.state.completed.filter((one) => one !== definition);
    this.patch({ completed: [definition, ...others].slice(0, MAX_COMPLETED) });
  }

  /** Every analysis run under way: the background's and those of the step. */
  runs(): readonly RunState[] {
    const { background, progress } = this.state;
    const own = progress.kind === 'stepping' ? progress.runs : [];
    return background === null ? own : [background, ...own];
  }

  setRun(run: RunState): void {
    const { background, progress } = this.state;
    if (this.runs().includes(run)) return;
    if (background?.id === run.id) this.patch({ background: run });
    else if (progress.kind === 'stepping') {
      const runs = progress.runs.map((one) => (one.id === run.id ? run : one));
      this.patch({ progress: { ...progress, runs } });
    }
  }
}
