import type { HistoryView, RolloutPhase, RolloutView, VersionTraffic } from '../admin/contract.ts';
import { durationText } from '../core/rollout/describe.ts';
import { percent } from './format.ts';
import { drawAnalyses } from './live-analyses.ts';
import { drawGates, gatesText } from './live-gates.ts';
import { BLANK, type Line, line, rows, type Tone } from './live-line.ts';

/** A rollout as people see it. Pure: the same picture from the same view. */

const SIGNS: Readonly<Record<RolloutPhase, string>> = {
  Progressing: '◌',
  Paused: '‖',
  Healthy: '✔',
  Degraded: '✖',
};

const TONES: Readonly<Record<RolloutPhase, Tone>> = {
  Progressing: 'bold',
  Paused: 'warn',
  Healthy: 'good',
  Degraded: 'bad',
};

/** The whole picture; no part of it where there is nothing to tell. Times of day are UTC. */
export function drawRollout(view: RolloutView, history: readonly HistoryView[]): Line[] {
  return [
    ...drawHead(view),
    ...drawSteps(view),
    ...drawVersions(view.versions),
    ...drawGates(view.verdict, view.gates),
    ...drawAnalyses(view.analyses),
    ...drawHistory(history),
  ];
}

/** `Paused, step 2/8, weight 5 %: message`. */
export function summaryText(view: RolloutView): string {
  const { steps, step, weight, message, hold } = view;
  const where = step === null || step >= steps.length ? [] : [`step ${step + 1}/${steps.length}`];
  const parts = [phaseText(view), ...where, `weight ${percent(weight)}${scopeText(view)}`];
  const held = hold === null || message.includes(hold) ? '' : `; held: ${hold}`;
  return `${parts.join(', ')}${message === '' ? '' : `: ${message}`}${held}`;
}

/** Equal for two views between which nothing happened; countdowns and traffic are no happenings. */
export function changeKey(view: RolloutView): string {
  const { number, phase, status, step, weight, scope, scopes, userPaused, message, hold } = view;
  const analyses = view.analyses.map((run) => [
    run.label,
    run.phase,
    run.metrics.map((metric) => [metric.name, metric.phase, metric.last?.at]),
  ]);
  const texts = [message, hold].map((text) => text?.replace(/\d+/g, '0') ?? null);
  const { verdict, gates } = view;
  const judged = [verdict?.state, verdict?.holdRamp, verdict?.ready, gatesText(gates)];
  const rest = [texts, analyses, judged];
  return JSON.stringify([number, phase, status, step, weight, scope, scopes, userPaused, ...rest]);
}

/** The gates and measurements of one look, for logs and pipes: `latency PASS, success-rate 0.993 Successful`. */
export function measuredText({ analyses, gates }: RolloutView): string {
  const measured = analyses
    .flatMap(({ metrics }) => metrics)
    .flatMap(({ name, last }) =>
      last === null ? [] : [[name, last.value, last.phase].filter((part) => part !== '').join(' ')],
    );
  return [...(gates.length === 0 ? [] : [gatesText(gates)]), ...measured].join(', ');
}

function drawHead(view: RolloutView): Line[] {
  const { service, number, phase, message, stable, canary, scopes, nextInMs, hold, timeScale, began } = view;
  const since = began === null ? '' : `, began ${timeText(began)}`;
  const facts: (readonly [string, string, Tone?])[] = [
    ['Rollout', `${service}${number === 0 ? ', none begun yet' : ` ${number}${since}`}`, 'bold'],
    ['Status', `${SIGNS[phase]} ${phaseText(view)}`, TONES[phase]],
    ...(message === '' ? [] : [['Message', message] as const]),
    ...(hold === null || message.includes(hold) ? [] : [['Held', hold, 'warn'] as const]),
    ['Versions', `${stable} stable, ${canary} canary`],
    ['Weight', `${percent(view.weight)}${scopeText(view)}`],
    ...scopes
      .filter(({ label }) => label !== view.scope)
      .map(({ label, weight }) => ['', `${percent(weight)} of ${label}`] as const),
    ...stepFact(view),
    ...(nextInMs === null ? [] : [['Next step', leftText(nextInMs)] as const]),
    ...(timeScale === 1 ? [] : [['Clock', `runs ${timeScale} times as fast as the wall's`] as const]),
  ];
  return facts.map(([name, text, tone]) => line(`${name === '' ? '' : `${name}:`}`.padEnd(11) + text, tone));
}

/** What the phase alone does not say. */
function phaseText({ phase, status, userPaused }: RolloutView): string {
  if (phase === 'Paused' && userPaused) return `${phase} (by hand)`;
  return status === 'stepping' ? phase : `${phase} (${status})`;
}

function scopeText({ scope }: RolloutView): string {
  return scope === null ? '' : ` of ${scope}`;
}

function stepFact({ step, steps }: RolloutView): (readonly [string, string])[] {
  if (step === null) return [];
  return [
    ['Step', step >= steps.length ? `${steps.length}/${steps.length}, done` : `${step + 1}/${steps.length}`],
  ];
}

const STEP_SIGNS = { done: '✔', current: '▶', pending: '·' } as const;
const STEP_TONES = { done: 'good', current: 'bold', pending: 'dim' } as const;

function drawSteps({ steps, nextInMs }: RolloutView): Line[] {
  if (steps.length === 0) return [];
  const table = steps.map(({ text, state }, index) => ({
    cells: [
      STEP_SIGNS[state],
      String(index + 1),
      state === 'current' && nextInMs !== null ? `${text}  (${leftText(nextInMs)} left)` : text,
    ],
    tone: STEP_TONES[state],
  }));
  return [BLANK, line('Steps', 'bold'), ...rows(2, new Set([1]), table)];
}

const NUMBERS = new Set([2, 3, 4, 5, 6]);

function drawVersions(versions: readonly VersionTraffic[]): Line[] {
  if (versions.length === 0) return [];
  const windowMs = Math.max(...versions.map((one) => one.windowMs));
  const head = ['VERSION', 'ROLE', 'WEIGHT', 'RATE', '5XX', 'P50', 'P99'];
  const table = versions.map(({ name, role, weight, ratePerS, errorShare, p50Ms, p99Ms }) => ({
    cells: [
      name,
      role,
      percent(weight),
      `${ratePerS.toFixed(1)}/s`,
      errorShare === null ? '-' : `${(errorShare * 100).toFixed(2)} %`,
      milliseconds(p50Ms),
      milliseconds(p99Ms),
    ],
    tone: (errorShare ?? 0) > 0 ? ('bad' as const) : ('plain' as const),
  }));
  return [
    BLANK,
    line(`Traffic of the last ${leftText(windowMs)}`, 'bold'),
    ...rows(2, NUMBERS, [{ cells: head, tone: 'dim' }, ...table]),
  ];
}

function drawHistory(history: readonly HistoryView[]): Line[] {
  if (history.length === 0) return [];
  const table = history.map(({ at, kind, actor, cause }) => ({
    cells: [timeText(at), kind, actor, cause],
  }));
  return [BLANK, line('History', 'bold'), ...rows(2, new Set(), table)];
}

/** `2026-01-02 03:04:05Z`. */
export function timeText(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}Z`;
}

/** Whole seconds, and never 0 while there is something left. */
function leftText(ms: number): string {
  return ms <= 0 ? '0s' : durationText(Math.ceil(ms / 1_000) * 1_000);
}

function milliseconds(ms: number | null): string {
  if (ms === null) return '-';
  return ms < 100 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}
