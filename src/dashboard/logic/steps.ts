import type { HistoryView, RolloutView } from '../../admin/contract.ts';

/** What a step does, read from the words in which the API tells it. */
export type StepRead =
  | { readonly kind: 'weight'; readonly percent: number }
  /** `durationMs` null: until someone promotes. On the rollout's clock. */
  | { readonly kind: 'pause'; readonly durationMs: number | null }
  | { readonly kind: 'evidence' }
  | { readonly kind: 'mirror'; readonly percent: number }
  | { readonly kind: 'scope'; readonly label: string }
  | { readonly kind: 'analysis' }
  | { readonly kind: 'other' };

type StepView = RolloutView['steps'][number];

export function readStep(text: string): StepRead {
  const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(text) ?? [];
  const percent = Number(rest);
  if (word === 'setWeight' && rest !== '' && Number.isFinite(percent)) return { kind: 'weight', percent };
  if (word === 'setMirror' && rest !== '' && Number.isFinite(percent)) return { kind: 'mirror', percent };
  if (word === 'pause' && rest.startsWith('until evidence')) return { kind: 'evidence' };
  if (word === 'pause') return { kind: 'pause', durationMs: rest === '' ? null : durationMs(rest) };
  if (word === 'setScope') return { kind: 'scope', label: rest };
  return word === 'analysis' || word === 'experiment' ? { kind: 'analysis' } : { kind: 'other' };
}

/** A step in the words of people. */
export function stepLabel(text: string): string {
  const step = readStep(text);
  switch (step.kind) {
    case 'weight':
      return `to ${step.percent} %`;
    case 'pause':
      return step.durationMs === null ? 'wait for a person' : `wait ${text.slice('pause '.length)}`;
    case 'evidence':
      return `wait for evidence${text.slice('pause until evidence'.length)}`;
    case 'mirror':
      return step.percent === 0 ? 'stop copying' : `copy ${step.percent} %`;
    case 'scope':
      return `for ${step.label}`;
    case 'analysis':
    case 'other':
      return text;
  }
}

/** The steps at one weight: what a flight of stairs is drawn of. */
export interface Tread {
  /** Percent. */
  readonly weight: number;
  /** Null: everyone. */
  readonly scope: string | null;
  readonly state: 'done' | 'current' | 'pending';
  readonly steps: readonly (StepView & { readonly index: number })[];
}

/** `stopped`: of a rollout that was taken back, the step at which it was; else null. */
export interface Track {
  readonly treads: readonly Tread[];
  readonly stopped: number | null;
}

export function trackOf(
  { steps, status, number }: Pick<RolloutView, 'steps' | 'status' | 'number'>,
  history: readonly HistoryView[],
): Track {
  const drafts = draftsOf(steps);
  const last = drafts.at(-1);
  // Behind the last step everyone gets the canary, whatever that step was.
  if (last !== undefined && (last.weight !== 100 || last.scope !== null))
    drafts.push({ weight: 100, scope: null, steps: [] });
  const top = drafts.length - 1;
  const treads = drafts.map((draft, i) => ({ ...draft, state: stateOf(draft, i === top, status) }));
  return { treads, stopped: status === 'aborted' ? stoppedAt(history, number) : null };
}

type Draft = Omit<Tread, 'state'>;

function draftsOf(steps: readonly StepView[]): Draft[] {
  const drafts: Draft[] = [];
  let scope: string | null = null;
  let own: Tread['steps'][number][] = [];
  const flush = (weight: number) => {
    own = [];
    drafts.push({ weight, scope, steps: own });
  };
  for (const [index, step] of steps.entries()) {
    const read = readStep(step.text);
    if (read.kind === 'scope') {
      scope = read.label === 'everyone' ? null : read.label;
      flush(0);
    } else if (read.kind === 'weight') {
      // A scope that is set and given its weight at once was never at 0 for anybody.
      if (own.length > 0 && own.every(({ text }) => readStep(text).kind === 'scope')) {
        drafts[drafts.length - 1] = { weight: read.percent, scope, steps: own };
      } else flush(read.percent);
    } else if (drafts.length === 0) flush(0);
    own.push({ ...step, index });
  }
  return drafts;
}

function stateOf(draft: Draft, isTop: boolean, status: RolloutView['status']): Tread['state'] {
  if (status === 'completed') return isTop ? 'current' : 'done';
  if (draft.steps.some(({ state }) => state === 'current')) return 'current';
  return draft.steps.length > 0 && draft.steps.every(({ state }) => state === 'done') ? 'done' : 'pending';
}

/** An end has no step of its own: the last entry before it has. */
function stoppedAt(history: readonly HistoryView[], number: number): number | null {
  return history.findLast((entry) => entry.number === number && entry.step !== null)?.step ?? null;
}

/** How much of a timed pause is over, 0..1; null: it is none. */
export function pauseShare(
  rollout: Pick<RolloutView, 'timeScale'>,
  text: string,
  leftMs: number,
): number | null {
  const step = readStep(text);
  if (step.kind !== 'pause' || step.durationMs === null || step.durationMs === 0) return null;
  return Math.min(1, Math.max(0, 1 - (leftMs * rollout.timeScale) / step.durationMs));
}

/** What comes when the current step is over, up to the next one that waits: `v2 gets 50 %`. */
export function comingText({ steps, step, canary }: Pick<RolloutView, 'steps' | 'step' | 'canary'>): string {
  const texts: string[] = [];
  for (const { text } of steps.slice((step ?? -1) + 1)) {
    const read = readStep(text);
    if (read.kind === 'weight') texts.push(`${canary} gets ${read.percent} %`);
    else if (read.kind === 'mirror')
      texts.push(read.percent === 0 ? 'copying ends' : `${read.percent} % is copied to ${canary}`);
    else if (read.kind === 'scope') texts.push(`the weights are for ${read.label} then`);
    else if (read.kind === 'analysis') return [...texts, `${text} is run`].join(', then ');
    else if (texts.length > 0 && (read.kind === 'pause' || read.kind === 'evidence'))
      return texts.join(', then ');
  }
  const done = texts.at(-1) === `${canary} gets 100 %` ? [] : [`${canary} serves everyone`];
  return [...texts, ...done].join(', then ');
}

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function durationMs(text: string): number | null {
  const parts = [...text.matchAll(/(\d+)(ms|[smhd])/g)];
  if (parts.map(([part]) => part).join('') !== text) return null;
  return parts.reduce((sum, [, n, unit]) => sum + Number(n) * (UNITS_MS[unit as string] as number), 0);
}
