import { BLANK, type Line, row, shorten, type Tone, table, wrap } from './lines.ts';
import type { Metric, Rollout } from './rollout.ts';

/** A rollout as the demo draws it: at most ten lines, so that all of the picture fits into 24. */

const SIGNS: Readonly<Record<Rollout['phase'], string>> = {
  Progressing: '◌',
  Paused: '‖',
  Healthy: '✔',
  Degraded: '✖',
};

const TONES: Readonly<Record<Rollout['phase'], Tone>> = {
  Progressing: 'bold',
  Paused: 'bold',
  Healthy: 'good',
  Degraded: 'bad',
};

const STEP_SIGNS = { done: '✔', current: '▶', pending: '·' } as const;
const LABEL_WIDTH = 16;
const TEXT_WIDTH = 61;
/** Steps that are drawn, one sign each. */
const MAX_SIGNS = 30;
/** Metrics of which an abort's evidence is shown. */
const MAX_EVIDENCE = 2;

/** Null: nothing is drawn. */
export function drawRollout(rollout: Rollout | null): Line[] {
  if (rollout === null) return [];
  return [BLANK, drawPhase(rollout), ...drawStep(rollout), ...drawMessage(rollout), ...drawMetrics(rollout)];
}

/** The same for one line: `rollout: Paused 25 % step 4/8`. */
export function rolloutText(rollout: Rollout): string {
  const { phase, weight, step, steps } = rollout;
  const where = step === null ? '' : ` step ${stepNumber(step, steps.length)}/${steps.length}`;
  return `rollout: ${phase}${byHand(rollout)} ${weight} %${where}${rollout.hold === null ? '' : ' held'}`;
}

function drawPhase(rollout: Rollout): Line {
  const { phase, weight, nextInMs } = rollout;
  const next = nextInMs ? `, next step in ${Math.ceil(nextInMs / 1000)} s` : '';
  return labelled(
    'rollout',
    `${SIGNS[phase]} ${phase}${byHand(rollout)} at ${weight} %${next}`,
    TONES[phase],
  );
}

function drawStep({ step, steps }: Rollout): Line[] {
  if (step === null) return [];
  const signs = steps.slice(0, MAX_SIGNS).map(({ state }) => STEP_SIGNS[state]);
  const name = `step ${stepNumber(step, steps.length)} of ${steps.length}`;
  return [labelled(name, `${signs.join('')}  ${steps[step]?.text ?? 'the last one is done'}`, 'plain')];
}

/** Why, where the lines above do not say it already. */
function drawMessage({ phase, message, hold, nextInMs, evidence }: Rollout): Line[] {
  if (hold !== null) return paragraph('held', hold, 'warn');
  if (phase === 'Progressing' || (phase === 'Paused' && nextInMs !== null)) return [];
  const tone = phase === 'Degraded' ? 'bad' : phase === 'Paused' ? 'warn' : 'plain';
  return [
    ...paragraph('because', message, tone),
    ...worstFirst(evidence)
      .slice(0, MAX_EVIDENCE)
      .flatMap((text) => paragraph('', roundedIn(text), 'plain', 3)),
  ];
}

/** What did not pass before what did: the first few are shown. */
function worstFirst(evidence: readonly string[]): string[] {
  const passed = (line: string) => /: Successful\b/.test(line);
  return [...evidence.filter((line) => !passed(line)), ...evidence.filter(passed)];
}

function paragraph(label: string, text: string, tone: Tone, maxLines = 2): Line[] {
  return wrap(text, TEXT_WIDTH, maxLines).map((line, i) => labelled(i === 0 ? label : '', line, tone));
}

const METRIC_WIDTHS = [18, 10, 21, 6, 12, 10];
const MAX_METRICS = 4;

function drawMetrics({ analyses }: Rollout): Line[] {
  const metrics = analyses.flatMap((run) => run.metrics).slice(0, MAX_METRICS);
  if (metrics.length === 0) return [];
  const header = ['analysis', 'last', 'asked', 'ok', 'failed', 'no data'];
  return [BLANK, ...table(METRIC_WIDTHS, header, metrics.map(metricRow))];
}

const LAST_SIGNS = { Successful: '✔', Failed: '✖', Inconclusive: '?', Error: '⚠', NoData: '∅' } as const;
const LAST_TONES = {
  Successful: 'plain',
  Failed: 'bad',
  Inconclusive: 'warn',
  Error: 'bad',
  NoData: 'dim',
} as const;

function metricRow(metric: Metric): Line {
  const { name, last, failureLimit, failed } = metric;
  const asked = metric.successCondition || metric.failureCondition;
  const cells = [
    `${last === null ? '·' : LAST_SIGNS[last.phase]} ${shorten(name, METRIC_WIDTHS[0]! - 3)}`,
    lastText(last),
    shorten(asked, METRIC_WIDTHS[2]! - 2),
    String(metric.successful),
    failureLimit < 0 ? String(failed) : `${failed}, max ${failureLimit}`,
    String(metric.noData),
  ];
  return { text: row(METRIC_WIDTHS, cells), tone: last === null ? 'dim' : LAST_TONES[last.phase] };
}

function lastText(last: Metric['last']): string {
  if (last === null) return '-';
  if (last.phase === 'NoData') return 'no data';
  if (last.phase === 'Error') return 'error';
  return shorten(roundedIn(last.value), METRIC_WIDTHS[1]! - 2);
}

/** Measured values come with all their digits. */
function roundedIn(text: string): string {
  return text.replaceAll(/\d+\.\d{3,}/g, (number) => String(Number(Number(number).toPrecision(3))));
}

/** Where people count from 1; behind the last step there is none. */
function stepNumber(step: number, steps: number): number {
  return Math.min(step + 1, steps);
}

function byHand({ phase, userPaused }: Rollout): string {
  return phase === 'Paused' && userPaused ? ' (by hand)' : '';
}

function labelled(label: string, text: string, tone: Tone): Line {
  return { text: `  ${label.padEnd(LABEL_WIDTH)}${text}`, tone };
}
