import type { AnalysisView, RolloutSummary, RolloutView } from '../../admin/contract.ts';
import { comingText, readStep } from './steps.ts';

/** The answers to what a person on call asks first, in words. */

export type Tone = 'calm' | 'good' | 'watch' | 'harm' | 'unknown';

export interface Statement {
  readonly tone: Tone;
  /** A few words. */
  readonly head: string;
  /** A sentence, or ''. */
  readonly text: string;
}

/** As much of a rollout as both the list and the page of a service know. */
export interface Subject extends Pick<RolloutSummary, 'phase' | 'status' | 'message' | 'hold' | 'verdict'> {
  readonly stable: string;
  readonly canary: string;
  readonly analyses?: readonly AnalysisView[];
}

/** Is the new version harming anyone? */
export function harmOf(subject: Subject): Statement {
  const { status, message, stable, canary } = subject;
  switch (status) {
    case 'idle':
      return { tone: 'calm', head: 'Nothing new is out', text: `Nobody gets ${canary}.` };
    case 'undone':
      return { tone: 'calm', head: `${canary} was taken back`, text: `Nobody gets ${canary}.` };
    case 'starting':
      return { tone: 'calm', head: 'Nobody has it yet', text: `${stable} serves everyone.` };
    case 'blocked':
      return { tone: 'unknown', head: 'Cannot be told', text: message };
    case 'aborted':
      return isByHand(message)
        ? {
            tone: 'watch',
            head: `${canary} was taken back by hand`,
            text: sentence(message, [stable, canary]),
          }
        : {
            tone: 'harm',
            head: `${canary} failed, and was taken back`,
            text: sentence(message, [stable, canary]),
          };
    case 'completed':
      return { tone: 'good', head: `${canary} is the new version`, text: 'Nobody judges it any more.' };
    case 'stepping':
      return steppingHarm(subject);
  }
}

function steppingHarm(subject: Subject): Statement {
  const { phase, message, canary, verdict, analyses } = subject;
  const failing = failingText(analyses ?? []);
  if (verdict?.state === 'FAIL')
    return {
      tone: 'harm',
      head: `${canary} does harm`,
      text: sentence(verdict.text, [subject.stable, canary]),
    };
  if (failing !== null) return { tone: 'watch', head: 'It may be', text: failing };
  if (verdict?.holdRamp === true)
    return {
      tone: 'watch',
      head: 'It may be: nobody more gets it',
      text: sentence(verdict.text, [subject.stable, canary]),
    };
  if (phase === 'Degraded') return { tone: 'watch', head: 'It does not get on', text: sentence(message) };
  if (verdict?.state === 'ERROR')
    return {
      tone: 'unknown',
      head: 'Cannot be told just now',
      text: sentence(verdict.text, [subject.stable, canary]),
    };
  if (verdict?.state === 'PASS')
    return {
      tone: 'good',
      head: 'No: all gates pass',
      text: sentence(verdict.text, [subject.stable, canary]),
    };
  if (verdict !== null)
    return {
      tone: 'calm',
      head: 'No sign of harm so far',
      text: sentence(verdict.text, [subject.stable, canary]),
    };
  return unjudged(subject);
}

/** Without a word of gates. */
function unjudged({ analyses }: Subject): Statement {
  const metrics = (analyses ?? []).flatMap((run) => run.metrics);
  if (metrics.some(({ successful }) => successful > 0)) {
    const text = metrics.map(({ name, successful }) => `${name} held ${times(successful)}`).join(', ');
    return { tone: 'calm', head: 'No sign of harm so far', text: sentence(text) };
  }
  if (metrics.length > 0)
    return { tone: 'unknown', head: 'Not measured yet', text: 'Too few requests of it so far.' };
  if (analyses === undefined) return { tone: 'unknown', head: 'No gate has judged it', text: '' };
  return {
    tone: 'unknown',
    head: 'Nothing judges it now',
    text: 'No gate and no analysis is running: look at the charts.',
  };
}

/** The metric that is nearest to failing for good; null: the last word of each is good. */
function failingText(analyses: readonly AnalysisView[]): string | null {
  for (const metric of analyses.flatMap((run) => run.metrics)) {
    if (metric.dryRun || metric.last?.phase !== 'Failed') continue;
    const limit = metric.failureLimit < 0 ? '' : `; ${metric.failureLimit} are forgiven`;
    return `${metric.name} failed ${times(metric.failed)}${limit}.`;
  }
  return null;
}

/** What happens by itself, and what it waits for. `leftMs`: of a timed pause. */
export function nextOf(rollout: RolloutView, leftMs: number | null): Statement {
  const { status, stable, canary, message } = rollout;
  switch (status) {
    case 'idle':
    case 'undone':
      return {
        tone: 'calm',
        head: 'Nothing by itself',
        text: `Until someone starts a rollout of ${canary}.`,
      };
    case 'starting':
      return { tone: 'calm', head: 'It is about to begin', text: sentence(message, [stable, canary]) };
    case 'blocked':
      return {
        tone: 'watch',
        head: 'Nothing: it is blocked',
        text: `Until its state is mended. ${stable} serves everyone.`,
      };
    case 'aborted':
      return {
        tone: 'calm',
        head: 'Nothing by itself',
        text: 'Until someone retries it, or a new version is configured.',
      };
    case 'completed':
      return {
        tone: 'calm',
        head: 'Nothing: it is done',
        text: `Make ${canary} the stable version in the config.`,
      };
    case 'stepping':
      return steppingNext(rollout, leftMs);
  }
}

function steppingNext(rollout: RolloutView, leftMs: number | null): Statement {
  const { phase, hold, userPaused, message, step, steps } = rollout;
  const then = sentence(`Then ${comingText(rollout)}`);
  if (userPaused)
    return { tone: 'watch', head: 'Nothing until someone resumes', text: 'It was paused by hand.' };
  if (hold !== null) return { tone: 'watch', head: 'It is held', text: sentence(hold) };
  if (leftMs !== null) return { tone: 'calm', head: '', text: then };
  const current = readStep(steps[step ?? -1]?.text ?? '');
  if (current.kind === 'pause')
    return { tone: 'watch', head: 'Waits for a person', text: `Promote goes on. ${then}` };
  if (current.kind === 'evidence') {
    const why = rollout.verdict === null ? '' : sentence(`Waits: ${rollout.verdict.why}`);
    return { tone: 'calm', head: 'When the gates have seen enough', text: why || then };
  }
  if (phase === 'Paused') return { tone: 'watch', head: 'It waits', text: sentence(message) };
  return { tone: 'calm', head: 'It goes on', text: then };
}

/** When the gates will have decided at this traffic; null: not foreseeable. */
export function decisionInMs({ gates }: Pick<RolloutView, 'gates'>): number | null {
  let latestMs = 0;
  for (const { state, decisionInMs: ms } of gates) {
    if (state !== 'CONTINUE') continue;
    if (ms === null) return null;
    latestMs = Math.max(latestMs, ms);
  }
  return latestMs === 0 ? null : latestMs;
}

/** With a capital and a full stop; `names` keep their letters. */
export function sentence(text: string, names: readonly string[] = []): string {
  const plain = text.trim();
  if (plain === '') return '';
  const [word = ''] = /^\S+?(?=[\s,:;]|$)/.exec(plain) ?? [];
  const isWord = /^[a-z]+$/.test(word) && !names.includes(word);
  const head = isWord ? (plain[0] as string).toUpperCase() : (plain[0] as string);
  return `${head}${plain.slice(1)}${/[.!?…]$/.test(plain) ? '' : '.'}`;
}

function isByHand(message: string): boolean {
  return message.startsWith('aborted by hand');
}

function times(n: number): string {
  return n === 1 ? 'once' : n === 2 ? 'twice' : `${n} times`;
}
