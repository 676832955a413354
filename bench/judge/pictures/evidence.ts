import type { Slice } from '../../../src/core/judge/evidence.ts';
import { type JudgeMemo, judgeWith } from '../../../src/core/judge/judge.ts';
import { SCENARIOS } from '../scenarios.ts';
import { emptyMinute, evidenceOf, freeze, type Minute } from '../traffic.ts';
import { COLOURS, grouped, label, line, picture, type Style, scale, WIDTH } from './svg.ts';

/** How the judge's evidence grows with the canary's requests: identical versions, and two that fail more often. */

const RATE_PER_S = 100;
const WEIGHT = 0.05;
const MAX_REQUESTS = 1200;
const IDENTICAL = 20;
const PLAN_ALPHA = 0.01;
const NEEDED = 1 / PLAN_ALPHA;
const MIN_E = 0.1;
const MAX_E = 1000;

/** Canary's requests, and the evidence of harm after them. */
type Trace = readonly (readonly [number, number])[];

/** A look a second by the judge itself, until it rolls back or `MAX_REQUESTS` were sent. */
export function traceOf(name: string, seed: string): Trace {
  const scenario = SCENARIOS.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  const traffic = scenario.traffic(seed, RATE_PER_S, 'fixed');
  traffic.stage(WEIGHT);
  const plan = { gates: scenario.gates, alpha: PLAN_ALPHA, beta: 0.01, minSamples: 50 };
  const context = { ratePerS: RATE_PER_S, nextW: null, latched: [] };
  const minutes: Minute[] = [];
  let memo: JudgeMemo | null = null;
  const trace: [number, number][] = [[0, 1]];
  for (let atS = 0; ; atS++) {
    if (atS % 60 === 0) minutes.push(emptyMinute(0, minutes.length, WEIGHT, scenario.watched));
    traffic.advance(atS, 1, minutes.at(-1) as Minute);
    const slices: Slice[] = minutes.map(freeze);
    const looked = judgeWith(plan, evidenceOf(slices), context, memo);
    memo = looked.memo;
    const requests = slices.reduce((sum, { canary }) => sum + canary.requests, 0);
    trace.push([requests, looked.verdict.M]);
    if (looked.verdict.state === 'FAIL' || requests >= MAX_REQUESTS) return trace;
  }
}

const X = scale(0, MAX_REQUESTS, 76, WIDTH - 28);
const TOP = 84;
const BOTTOM = 372;
const LOG_Y = scale(Math.log(MIN_E), Math.log(MAX_E), BOTTOM, TOP);

export function evidencePicture(): string {
  const identical = Array.from({ length: IDENTICAL }, (_, i) => traceOf('same-0.1', `picture/same/${i}`));
  const failing = traceOf('errors-5', 'picture/errors-5/1');
  const slightly = traceOf('errors-1', 'picture/errors-1/2');
  const crossed = identical.filter((trace) => trace.some(([, e]) => e >= NEEDED)).length;
  const desc =
    `Evidence of harm, on a scale of logarithms, over the requests that the new version has answered at ${WEIGHT * 100} % of ${RATE_PER_S} requests a second. ` +
    `A version that fails 5 % reaches ${NEEDED} after ${requestsOf(failing)} requests, one that fails 1 % after ${requestsOf(slightly)}. ` +
    `Of ${IDENTICAL} versions as good as stable ${crossed === 0 ? 'none' : crossed} reaches it.`;
  return picture('Evidence of harm, request by request', desc, 440, [
    label(
      24,
      58,
      `New version at ${WEIGHT * 100} % of ${RATE_PER_S} requests a second; stable fails 0.1 %. A look every second.`,
    ),
    ...axes(),
    ...identical.map((trace) => curve(trace, { colour: COLOURS.grey, width: 1.2, opacity: 0.75 })),
    curve(slightly, { colour: COLOURS.amber, width: 2.5, dash: '9 4' }),
    curve(failing, { colour: COLOURS.red, width: 2.5 }),
    ...ending(failing, COLOURS.red, 'fails 5 %'),
    ...ending(slightly, COLOURS.amber, 'fails 1 %'),
    label(X(MAX_REQUESTS), LOG_Y(0 + Math.log(4)), `${IDENTICAL} versions as good as stable (grey)`, {
      anchor: 'end',
      bold: true,
    }),
  ]);
}

function requestsOf(trace: Trace): string {
  return grouped((trace.at(-1) as readonly [number, number])[0]);
}

function curve(trace: Trace, style: Style): string {
  return line(
    trace.map(([requests, e]) => [X(requests), LOG_Y(Math.log(e))]),
    style,
  );
}

function ending(trace: Trace, colour: string, what: string): string[] {
  const [requests, e] = trace.at(-1) as readonly [number, number];
  const x = X(requests);
  const y = LOG_Y(Math.log(e));
  return [
    `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="5" fill="${colour}"/>`,
    label(x + 10, y - 6, `${what}: taken back after ${grouped(requests)}`, { colour, bold: true }),
  ];
}

function axes(): string[] {
  const parts: string[] = [];
  for (const e of [MIN_E, 1, 10, NEEDED, MAX_E]) {
    const y = LOG_Y(Math.log(e));
    const needed = e === NEEDED;
    const style = needed ? { colour: COLOURS.ink, width: 2 } : { colour: COLOURS.rule, width: 1 };
    parts.push(
      line(
        [
          [X(0), y],
          [X(MAX_REQUESTS), y],
        ],
        style,
      ),
    );
    parts.push(label(X(0) - 8, y + 5, grouped(e), { anchor: 'end', bold: needed }));
  }
  const y = LOG_Y(Math.log(NEEDED));
  parts.push(
    label(X(MAX_REQUESTS), y - 8, 'taken back from here on', { anchor: 'end', colour: COLOURS.ink }),
  );
  for (let requests = 0; requests <= MAX_REQUESTS; requests += 200) {
    parts.push(label(X(requests), BOTTOM + 22, grouped(requests), { anchor: 'middle' }));
  }
  parts.push(
    label((X(0) + X(MAX_REQUESTS)) / 2, BOTTOM + 48, 'requests that the new version has answered', {
      anchor: 'middle',
    }),
  );
  return parts;
}
