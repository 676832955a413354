import type { RuleName } from '../rules/index.ts';
import { FIXED_S, runFixed } from '../run.ts';
import { SCENARIOS } from '../scenarios.ts';
import { COLOURS, label, line, picture, type Style, scale, WIDTH } from './svg.ts';

/** How many identical versions are taken back, the longer one looks. */

const SCENARIO = 'same-0.5';
const RATE_PER_S = 100;
const WEIGHT = 0.05;
const RUNS = 200;
const MINUTES = FIXED_S / 60;

interface Curve {
  readonly rule: RuleName;
  readonly name: string;
  readonly style: Style;
}

const CURVES: readonly Curve[] = [
  {
    rule: 'argo 1m',
    name: 'success rate ≥ 99 % each minute, the 4th miss',
    style: { colour: COLOURS.red, width: 2.5 },
  },
  {
    rule: 'z .05',
    name: 'test of .05 each minute',
    style: { colour: COLOURS.amber, width: 2.5, dash: '9 4' },
  },
  { rule: 'coalmine', name: 'Coalmine, a look each second', style: { colour: COLOURS.blue, width: 3.5 } },
];

/** Of each rule, the share of runs that were rolled back by the end of each minute. */
function alarms(): Map<RuleName, readonly number[]> {
  const scenario = SCENARIOS.find(({ name }) => name === SCENARIO);
  if (scenario === undefined) throw new Error(`there is no scenario ${SCENARIO}`);
  const rules = CURVES.map(({ rule }) => rule);
  const byMinute = new Map(rules.map((rule) => [rule, new Array<number>(MINUTES + 1).fill(0)]));
  for (let run = 0; run < RUNS; run++) {
    const setting = { scenario, ratePerS: RATE_PER_S, seed: `picture/looks/${run}`, skipEmpty: false };
    for (const [rule, { kind, atS }] of runFixed(setting, WEIGHT, rules)) {
      if (kind !== 'rolledBack') continue;
      const counts = byMinute.get(rule) as number[];
      for (let minute = Math.ceil(atS / 60); minute <= MINUTES; minute++)
        counts[minute] = (counts[minute] ?? 0) + 1;
    }
  }
  return new Map([...byMinute].map(([rule, counts]) => [rule, counts.map((count) => count / RUNS)]));
}

const RIGHT = WIDTH - 380;
const TOP = 84;
const BOTTOM = 320;

export function looksPicture(): string {
  const shares = alarms();
  const last = (rule: RuleName) => Math.round(100 * (shares.get(rule)?.at(-1) ?? 0));
  const most = Math.max(...CURVES.map(({ rule }) => shares.get(rule)?.at(-1) ?? 0));
  const top = Math.min(1, Math.ceil(most * 10) / 10);
  const x = scale(0, MINUTES, 70, RIGHT);
  const y = scale(0, top, BOTTOM, TOP);
  const said = CURVES.map(({ rule, name }) => `${name}: ${last(rule)} %`).join('; ');
  const desc = `Share of ${RUNS} versions as good as stable that were taken back by mistake within an hour of looking, both failing 0.5 %. After ${MINUTES} minutes: ${said}.`;
  const parts = [
    label(
      24,
      58,
      `Both versions fail 0.5 %; ${WEIGHT * 100} % of ${RATE_PER_S} requests a second; ${RUNS} runs. Every alarm is false.`,
    ),
  ];
  for (let share = 0; share <= top + 1e-9; share += 0.2) {
    parts.push(
      line(
        [
          [x(0), y(share)],
          [RIGHT, y(share)],
        ],
        { colour: COLOURS.rule, width: 1 },
      ),
    );
    parts.push(label(62, y(share) + 5, `${Math.round(share * 100)} %`, { anchor: 'end' }));
  }
  for (let minute = 0; minute <= MINUTES; minute += 10)
    parts.push(label(x(minute), BOTTOM + 22, String(minute), { anchor: 'middle' }));
  parts.push(label((x(0) + RIGHT) / 2, BOTTOM + 46, 'minutes of looking', { anchor: 'middle' }));
  for (const { rule, name, style } of CURVES) {
    const points = (shares.get(rule) ?? []).map((share, minute) => [x(minute), y(share)] as const);
    const end = points.at(-1) as readonly [number, number];
    parts.push(
      line(points, style),
      label(RIGHT + 12, end[1] - 3, `${last(rule)} % taken back`, { colour: style.colour, bold: true }),
    );
    parts.push(label(RIGHT + 12, end[1] + 14, name, { size: 13 }));
  }
  return picture('Looking often, and being wrong once', desc, 386, parts);
}
