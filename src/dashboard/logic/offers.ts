import type { RolloutVerb, RolloutView } from '../../admin/contract.ts';
import { comingText, readStep } from './steps.ts';

/** A button: what it is called, and what will happen in words. */
export interface Offer {
  readonly verb: RolloutVerb;
  /** `promote` only. */
  readonly full: boolean;
  readonly label: string;
  /** `back` takes users from the canary; `on` gives it more, or to more of them; `hold` changes nothing by itself. */
  readonly kind: 'back' | 'on' | 'hold';
  readonly consequence: string;
}

type Told = Pick<
  RolloutView,
  'status' | 'stable' | 'canary' | 'weight' | 'userPaused' | 'step' | 'steps' | 'message'
>;

/** What makes sense now, what takes users back first. */
export function offersOf(rollout: Told): readonly Offer[] {
  const { stable, canary } = rollout;
  switch (rollout.status) {
    case 'idle':
    case 'undone':
      return [start(rollout)];
    case 'starting':
      return [
        abort(rollout),
        ...pauseOrResume(rollout),
        promoteFully(rollout, 'What it waits for is skipped, and so are all steps.'),
      ];
    case 'stepping':
      return [
        abort(rollout),
        ...pauseOrResume(rollout),
        promote(rollout),
        promoteFully(rollout, 'The steps and analyses that are left are skipped.'),
      ];
    case 'completed':
      return [undo(rollout)];
    case 'aborted':
      return [
        offer(
          'retry',
          'on',
          'Retry',
          `The rollout of ${canary} begins again at its first step. What was counted before is not used again.`,
        ),
        offer(
          'undo',
          'hold',
          'Accept the abort',
          `${stable} goes on serving everyone, and the rollout counts as done: it is Healthy again.`,
        ),
      ];
    case 'blocked':
      return [];
  }
}

/** What takes users back, of as much as a list knows; null: there is nobody to take back. */
export function takeBackOffer(told: Pick<Told, 'status' | 'stable' | 'canary' | 'weight'>): Offer | null {
  if (told.status === 'starting' || told.status === 'stepping') return abort(told);
  return told.status === 'completed' ? undo(told) : null;
}

function offer(
  verb: RolloutVerb,
  kind: Offer['kind'],
  label: string,
  consequence: string,
  full = false,
): Offer {
  return { verb, kind, label, consequence, full };
}

function start({ stable, canary, status }: Told): Offer {
  const again = status === 'undone' ? 'again ' : '';
  return offer(
    'start',
    'on',
    `Start the rollout of ${canary}`,
    `The rollout of ${canary} against ${stable} begins ${again}at its first step.`,
  );
}

function undo({ stable, canary }: Pick<Told, 'stable' | 'canary'>): Offer {
  return offer(
    'undo',
    'back',
    `Take ${canary} back`,
    `${stable} serves everyone at once. It stays so until a rollout is started.`,
  );
}

function abort({
  stable,
  canary,
  status,
  weight,
}: Pick<Told, 'status' | 'stable' | 'canary' | 'weight'>): Offer {
  const now =
    status === 'starting' || weight === 0
      ? `${stable} goes on serving everyone.`
      : `${stable} serves everyone at once.`;
  return offer(
    'abort',
    'back',
    `Take ${canary} back`,
    `${now} The rollout stays aborted until someone retries it.`,
  );
}

function pauseOrResume({ userPaused, canary }: Told): Offer[] {
  return userPaused
    ? [offer('resume', 'hold', 'Resume', `The rollout of ${canary} goes on by itself.`)]
    : [
        offer(
          'pause',
          'hold',
          'Pause',
          `Everyone keeps the version they have. Nothing moves until someone resumes, but the gates and analyses go on judging and may still take ${canary} back.`,
        ),
      ];
}

function promote(rollout: Told): Offer {
  const { userPaused, step, steps } = rollout;
  const current = readStep(steps[step ?? -1]?.text ?? '');
  const pausing = current.kind === 'pause' || current.kind === 'evidence';
  if (userPaused && current.kind !== 'pause') {
    return offer(
      'promote',
      'on',
      'Promote',
      `The pause by hand is over and it goes on. What comes: ${comingText(rollout)}.`,
    );
  }
  const skipped = pausing ? 'It waits no longer' : 'It goes past this step';
  return offer('promote', 'on', 'Promote', `${skipped}: ${comingText(rollout)}.`);
}

function promoteFully({ canary }: Told, skipped: string): Offer {
  return offer('promote', 'on', 'Promote to everyone', `${canary} serves everyone at once. ${skipped}`, true);
}
