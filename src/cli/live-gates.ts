import type { EstimateView, EvidenceView, GateView, VerdictView } from '../admin/contract.ts';
import { count, duration, evidence, fraction, latency, percent } from '../core/judge/words.ts';
import { assertNever } from '../core/model.ts';
import { BLANK, type Line, line, type Row, rows, type Tone, wrap } from './live-line.ts';

/** Gates: what is known of the canary and of stable, and how far the evidence has come. */

type State = GateView['state'];

const SIGNS: Readonly<Record<State, string>> = { PASS: '✔', FAIL: '✖', CONTINUE: '◌', ERROR: '⚠' };
const TONES: Readonly<Record<State, Tone>> = { PASS: 'good', FAIL: 'bad', CONTINUE: 'plain', ERROR: 'warn' };

/** What paragraphs are wrapped to; a terminal of 80 columns keeps its last one free. */
const WIDTH = 79;
const BAR_CELLS = 10;
const VALUES = new Set([1]);

export function drawGates(verdict: VerdictView | null, gates: readonly GateView[]): Line[] {
  if (verdict === null) return [];
  const heads = rows(
    2,
    new Set(),
    gates.map((gate) => headRow(gate, verdict.state === 'FAIL')),
  );
  const numbers = rows(4, VALUES, gates.flatMap(numberRows));
  return [
    BLANK,
    title(verdict),
    ...why(verdict),
    ...gates.flatMap((_gate, i) => [...heads.slice(i, i + 1), ...numbers.slice(2 * i, 2 * i + 2)]),
  ];
}

/** `success-rate PASS, p99 CONTINUE`. */
export function gatesText(gates: readonly GateView[]): string {
  return gates.map(({ name, state }) => `${name} ${state}`).join(', ');
}

function title({ state, M, needed }: VerdictView): Line {
  const tone = TONES[state] === 'plain' ? 'bold' : TONES[state];
  return line(`Gates  ${SIGNS[state]} ${state}, evidence of harm ${factor(M)} of ${factor(needed)}`, tone);
}

/** A decision in full, with its numbers; on the way to one, what the next step waits for. */
function why({ state, text, ready, why: reason, holdRamp }: VerdictView): Line[] {
  if (state === 'FAIL' || state === 'ERROR') return wrap(2, WIDTH, text, TONES[state]);
  const told = ready ? `Next step: nothing against it, ${reason}` : `Next step waits: ${reason}`;
  return wrap(2, WIDTH, told, holdRamp ? 'warn' : 'plain');
}

/** `over`: no gate decides any more. */
function headRow(gate: GateView, over: boolean): Row {
  const { name, state, environment } = gate;
  const around = environment && state === 'CONTINUE' ? '; stable is beyond it too' : '';
  return {
    cells: [`${SIGNS[state]} ${name}`, state, `${samplesText(gate, over)}${around}`],
    tone: TONES[state],
  };
}

/** What is estimated, where the gate's name alone would mislead: its threshold is about the opposite. */
const WHAT: Partial<Record<GateView['unit'], string>> = {
  failures: 'failures, ',
  disagreements: 'differing, ',
};

/** `failures, 212 of 358 samples, about 3 min left`. */
function samplesText({ state, unit, samples, decisionInMs }: GateView, over: boolean): string {
  const { have, need } = samples;
  const what = WHAT[unit] ?? '';
  if (state !== 'CONTINUE' || over) return `${what}${count(have)} samples`;
  if (need === null) return `${what}${count(have)} samples, no decision in sight`;
  const left = decisionInMs === null ? 'none coming in' : `about ${duration(decisionInMs)} left`;
  return need <= have
    ? `${what}${count(have)} samples`
    : `${what}${count(have)} of ${count(need)} samples, ${left}`;
}

function numberRows({ unit, canary, stable, harm, pass, state }: GateView): Row[] {
  const tone = state === 'CONTINUE' ? 'dim' : 'plain';
  return [
    { cells: ['canary', ...estimateCells(unit, canary), 'harm', bar(harm), evidenceText(harm)], tone },
    { cells: ['stable', ...estimateCells(unit, stable), 'pass', bar(pass), evidenceText(pass)], tone },
  ];
}

function estimateCells(unit: GateView['unit'], estimate: EstimateView | null): [string, string] {
  if (estimate === null) return ['-', ''];
  const { value, low, high } = estimate;
  return [valueText(unit, value), `${valueText(unit, low)} to ${valueText(unit, high)}`];
}

function valueText(unit: GateView['unit'], value: number | null): string {
  if (value === null) return '?';
  switch (unit) {
    case 'ms':
      return latency(value);
    case 'mean':
      return fraction(value);
    case 'failures':
    case 'disagreements':
    case 'conversions':
    case 'totalVariation':
      return percent(value);
    default:
      return assertNever(unit);
  }
}

/** Full only when there is enough. */
function bar({ share }: EvidenceView): string {
  const filled = Math.min(BAR_CELLS, Math.max(0, Math.floor((share ?? 0) * BAR_CELLS)));
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_CELLS - filled)}]`;
}

function evidenceText({ evidence: now, needed, share }: EvidenceView): string {
  // More than a number can say; its logarithm can still be told.
  const logNow = now === null && share !== null ? share * Math.log(needed ?? 0) : Math.log(now ?? 0);
  return `${evidence(logNow)} of ${factor(needed)}`;
}

function factor(value: number | null): string {
  return value === null ? '?' : evidence(Math.log(value));
}
