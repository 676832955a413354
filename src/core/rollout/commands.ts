import { assertNever } from '../model.ts';
import { describeStep } from './describe.ts';
import type { Draft } from './draft.ts';
import { abort, accept, begin, complete, undo } from './lifecycle.ts';
import { goOn, leave } from './settle.ts';
import type { Command, Stepping } from './state.ts';

/** What a person asks for. A command that cannot be carried out is refused with what would be right. */
export function obey(d: Draft, command: Command, actor: string): void {
  d.actor = actor;
  switch (command.kind) {
    case 'start':
      return start(d);
    case 'promote':
      return command.full ? promoteFully(d) : promote(d);
    case 'pause':
      return pause(d);
    case 'resume':
      return resume(d);
    case 'abort':
      return abortByHand(d, command.reason);
    case 'retry':
      return retry(d);
    case 'undo':
      return undoByHand(d);
    case 'setWeight':
      return setWeight(d, command.weightBp);
    default:
      return assertNever(command);
  }
}

function start(d: Draft): void {
  if (isUnderWay(d)) return d.refuse('a rollout is under way; abort it first, or let it go on');
  begin(d, 'started', `started by hand: ${d.plan.canary} against ${d.plan.stable}`);
}

/** Clears what it waits for, or else goes one step on; where a person must decide it does both. */
function promote(d: Draft): void {
  const { progress, gate, userPaused } = d.state;
  if (progress.kind === 'starting') {
    return d.refuse(
      `it waits to begin (${gate?.refusal || 'its hooks are being asked'}); promote --full skips that`,
    );
  }
  if (progress.kind !== 'stepping') return d.refuse(notUnderWay(d));
  const pausing = d.plan.steps[progress.index]?.kind === 'pause';
  d.patch({ userPaused: false });
  if (userPaused && !pausing && progress.stuck === null)
    return d.note('resumed', 'promoted: the pause is over');
  d.note('promoted', promotedText(d, progress));
  // A background run that ended badly begins anew, or it would stop the rollout again at once.
  if (progress.stuck !== null) d.patch({ background: null, progress: { ...progress, stuck: null } });
  // Past hooks that are being asked, but not past those of the next step.
  if (gate === null) leave(d, progress.index);
  else goOn(d, progress.index);
}

function promotedText({ plan, state }: Draft, { index, stuck }: Stepping): string {
  if (stuck !== null) return `promoted although: ${stuck}`;
  if (state.gate !== null) return 'promoted without waiting for the hooks';
  const step = plan.steps[index];
  return step === undefined ? 'promoted' : `promoted past ${describeStep(step)}`;
}

function promoteFully(d: Draft): void {
  if (!isUnderWay(d)) return d.refuse(notUnderWay(d));
  complete(d, 'FastPromoted', 'promoted in full: the rest of the steps and analyses was skipped');
}

function pause(d: Draft): void {
  if (!isUnderWay(d)) return d.refuse(notUnderWay(d));
  if (d.state.userPaused) return d.refuse('it is paused already');
  d.patch({ userPaused: true });
  d.note('paused', 'paused by hand');
}

function resume(d: Draft): void {
  const { userPaused, progress } = d.state;
  if (!userPaused) {
    const waits = progress.kind === 'stepping' && d.plan.steps[progress.index]?.kind === 'pause';
    return d.refuse(
      waits ? 'nobody paused it: the pause is a step, and promote goes past it' : 'it is not paused',
    );
  }
  d.patch({ userPaused: false });
  d.note('resumed', 'resumed by hand');
}

function abortByHand(d: Draft, reason: string): void {
  const { kind } = d.state.progress;
  if (kind === 'completed') return d.refuse('it is completed; undo takes everyone back to stable');
  if (!isUnderWay(d)) return d.refuse(notUnderWay(d));
  abort(d, reason === '' ? 'aborted by hand' : `aborted by hand: ${reason}`, []);
}

function retry(d: Draft): void {
  if (d.state.progress.kind !== 'aborted') {
    return d.refuse('only an aborted rollout can be retried; start begins a new one');
  }
  begin(d, 'retried', 'retried from the first step');
}

function undoByHand(d: Draft): void {
  const { kind } = d.state.progress;
  if (kind === 'idle' || kind === 'undone') return d.refuse('everyone is on stable already');
  if (kind === 'aborted') accept(d);
  else undo(d, `taken back to ${d.plan.stable}`);
}

function setWeight(d: Draft, weightBp: number): void {
  if (d.state.progress.kind !== 'stepping') return d.refuse(notUnderWay(d));
  d.patch({ weightOverrideBp: weightBp });
  d.note('weight', `weight set to ${weightBp / 100} % by hand, until the next step that sets one`);
}

function isUnderWay(d: Draft): boolean {
  const { kind } = d.state.progress;
  return kind === 'starting' || kind === 'stepping';
}

function notUnderWay(d: Draft): string {
  switch (d.state.progress.kind) {
    case 'completed':
      return 'no rollout is under way: the last one is completed';
    case 'aborted':
      return 'no rollout is under way: the last one was aborted; retry begins it again';
    default:
      return 'no rollout is under way; start begins one';
  }
}
