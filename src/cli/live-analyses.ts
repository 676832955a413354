import type { AnalysisView, MetricView } from '../admin/contract.ts';
import { brief } from '../core/analysis/text.ts';
import { BLANK, type Line, line, type Row, rows, type Tone } from './live-line.ts';

/** Analyses: what was measured, what is asked of it, and how much of it went wrong so far. */

type Phase = AnalysisView['phase'] | NonNullable<MetricView['last']>['phase'];

const SIGNS: Readonly<Record<Phase, string>> = {
  Pending: '·',
  Running: '◌',
  Successful: '✔',
  Failed: '✖',
  Inconclusive: '?',
  Error: '⚠',
  NoData: '∅',
};

const TONES: Readonly<Record<Phase, Tone>> = {
  Pending: 'dim',
  Running: 'plain',
  Successful: 'good',
  Failed: 'bad',
  Inconclusive: 'warn',
  Error: 'bad',
  NoData: 'warn',
};

const HEAD = ['METRIC', 'LAST', 'AT', 'OK', 'FAILED', 'UNCLEAR', 'ERRORS', 'NO DATA'];
const COUNTS = new Set([3, 4, 5, 6, 7]);
const VALUE_LENGTH = 24;

export function drawAnalyses(analyses: readonly AnalysisView[]): Line[] {
  return analyses.flatMap((run) => [BLANK, ...drawRun(run)]);
}

function drawRun({ label, phase, message, metrics }: AnalysisView): Line[] {
  const told = message === '' ? '' : `: ${message}`;
  const title = line(`Analysis ${label}  ${SIGNS[phase]} ${phase}${told}`, strong(TONES[phase]));
  if (metrics.length === 0) return [title];
  return [title, ...rows(2, COUNTS, [{ cells: HEAD, tone: 'dim' }, ...metrics.map(metricRow)])];
}

function strong(tone: Tone): Tone {
  return tone === 'plain' ? 'bold' : tone;
}

function metricRow(metric: MetricView): Row {
  const { name, phase, dryRun, last, failureLimit } = metric;
  return {
    cells: [
      `${SIGNS[phase]} ${name}${dryRun ? ' (dry run)' : ''}`,
      lastText(last),
      last === null ? '-' : timeOf(last.at),
      String(metric.successful),
      failureLimit < 0 ? String(metric.failed) : `${metric.failed}/${failureLimit}`,
      String(metric.inconclusive),
      String(metric.error),
      String(metric.noData),
    ],
    tone: phase === 'Running' && last !== null ? lastTone(last.phase) : TONES[phase],
    below: notes(metric),
  };
}

/** While a metric runs its last measurement is what people look for; a good one needs no colour. */
function lastTone(phase: Phase): Tone {
  return phase === 'Successful' ? 'plain' : TONES[phase];
}

function lastText(last: MetricView['last']): string {
  if (last === null) return '-';
  if (last.phase === 'NoData') return 'no data';
  const text = brief(last.value);
  const value = text.length > VALUE_LENGTH ? `${text.slice(0, VALUE_LENGTH - 1)}…` : text;
  return value === '' ? last.phase : `${value} ${SIGNS[last.phase]}`;
}

function notes({ provider, successCondition, failureCondition, message, last }: MetricView): Line[] {
  const asked = [
    ...(successCondition === '' ? [] : [`ok if ${successCondition}`]),
    ...(failureCondition === '' ? [] : [`failed if ${failureCondition}`]),
    `from ${provider}`,
  ];
  const told = message === '' ? (last?.message ?? '') : message;
  return [line(`      ${asked.join(', ')}`, 'dim'), ...(told === '' ? [] : [line(`      ${told}`, 'warn')])];
}

/** The time of day out of an ISO time; measurements are never days apart. */
function timeOf(iso: string): string {
  return iso.slice(11, 19);
}
