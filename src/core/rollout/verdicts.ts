import type { Draft } from './draft.ts';
import { abort } from './lifecycle.ts';
import type { RolloutState, VerdictState } from './state.ts';

/** What the gates' verdicts do to a rollout. */

export function takeVerdict(
  d: Draft,
  verdict: VerdictState,
  text: string,
  evidence: readonly string[],
): void {
  if (d.state.progress.kind !== 'stepping') return;
  if (verdict.state === 'FAIL') {
    if (d.plan.onFailure === 'abort') return abort(d, text, evidence);
    return standStill(d, verdict, text, evidence);
  }
  if (!isSame(d.state.verdict, verdict)) d.patch({ verdict });
}

/** `onFailure: pause`: a person decides; told once for each set of gates that failed. */
function standStill(d: Draft, verdict: VerdictState, text: string, evidence: readonly string[]): void {
  const { progress, verdict: before } = d.state;
  const told = before?.failed.join('\n') === verdict.failed.join('\n');
  d.patch({ verdict });
  if (told || progress.kind !== 'stepping') return;
  d.patch({ progress: { ...progress, stuck: text } });
  d.note('stuck', `${text}; promote goes on, abort takes it back`, evidence);
}

/** Why nobody more may be exposed; null: the gates do not mind. */
export function verdictHold({ verdict }: RolloutState): string | null {
  if (verdict === null) return null;
  if (verdict.holdRamp) return `evidence of harm grows: ${verdict.why}`;
  return verdict.state === 'ERROR' ? `the gates cannot judge: ${verdict.why}` : null;
}

/**
 * Whether two states say the same in other words: what a pause waits for is counted down with every look, and is
 * not worth a write to the disk each time.
 */
export function differsInWords(before: RolloutState, after: RolloutState): boolean {
  const { verdict, hold } = before;
  if (verdict === null || after.verdict === null) return false;
  if (!isSame({ ...verdict, why: after.verdict.why }, after.verdict)) return false;
  if ((hold === null) !== (after.hold === null)) return false;
  if (hold !== null && (hold.told !== after.hold?.told || hold.sinceMs !== after.hold.sinceMs)) return false;
  const words = new Set(['clockMs', 'verdict', 'hold']);
  return Object.entries(after).every(
    ([key, value]) => words.has(key) || before[key as keyof RolloutState] === value,
  );
}

function isSame(a: VerdictState | null, b: VerdictState): boolean {
  return (
    a !== null &&
    a.state === b.state &&
    a.holdRamp === b.holdRamp &&
    a.ready === b.ready &&
    a.why === b.why &&
    a.failed.length === b.failed.length
  );
}
