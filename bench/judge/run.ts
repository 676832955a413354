import { makeRule, type RuleName } from './rules/index.ts';
import type { Look, Rule } from './rules/rule.ts';
import type { Scenario } from './scenarios.ts';
import { emptyMinute, type Minute, type Traffic } from './traffic.ts';

/** How one rollout ended under one rule. */
export interface Ending {
  readonly kind: 'rolledBack' | 'promoted' | 'held';
  /** Seconds after the start. */
  readonly atS: number;
  /** Requests that the canary got until then; in a scenario that turns bad, from then on. */
  readonly exposed: number;
  /** When it could have been promoted first, in seconds; null: never. */
  readonly readyAtS: number | null;
}

export interface Setting {
  readonly scenario: Scenario;
  readonly ratePerS: number;
  readonly seed: string;
  readonly skipEmpty: boolean;
}

const MINUTE_S = 60;
export const FIXED_S = 3600;
/** Shares of a ramp. */
export const RAMP: readonly number[] = [0.01, 0.05, 0.25, 0.5];
/** The slowest peer needs an hour a stage. */
export const RAMP_S = 4 * 3600;

/** The minutes of one rollout, made as time goes on. */
class Timeline {
  readonly minutes: Minute[] = [];
  readonly #scenario: Scenario;
  readonly #traffic: Traffic;
  #stage = -1;
  #w = 0;
  #stageFromS = 0;
  atS = 0;
  exposed = 0;

  constructor(scenario: Scenario, traffic: Traffic) {
    this.#scenario = scenario;
    this.#traffic = traffic;
  }

  begin(w: number): void {
    this.#stage++;
    this.#w = w;
    this.#stageFromS = this.atS;
    this.#traffic.stage(w);
  }

  advance(seconds: number): void {
    const { watched } = this.#scenario;
    let minute = this.minutes.at(-1);
    if (minute === undefined || minute.stage !== this.#stage || minute.spanMs >= MINUTE_S * 1000) {
      minute = emptyMinute(this.#stage, this.minutes.length, this.#w, watched);
      this.minutes.push(minute);
    }
    const before = minute.canary.requests;
    this.#traffic.advance(this.atS, seconds, minute);
    if (this.atS >= this.#scenario.badFromS) this.exposed += minute.canary.requests - before;
    this.atS += seconds;
  }

  look({ ratePerS }: Setting, mode: Look['mode'], nextW: number | null): Look {
    const { atS, minutes } = this;
    const stageS = atS - this.#stageFromS;
    return { mode, atS, stageS, stage: this.#stage, minutes, ratePerS, nextW };
  }

  ending(kind: Ending['kind'], readyAtS: number | null): Ending {
    return { kind, atS: this.atS, exposed: this.exposed, readyAtS };
  }
}

/** Seconds until somebody looks again, a minute at most. */
function stepOf(rules: readonly Rule[]): number {
  return Math.min(MINUTE_S, ...rules.map(({ everyS }) => everyS));
}

/** One hour at one weight: the same stream for every rule, each of which ends where it wants to. */
export function runFixed(setting: Setting, w: number, rules: readonly RuleName[]): Map<RuleName, Ending> {
  const { scenario, ratePerS, seed, skipEmpty } = setting;
  const timeline = new Timeline(scenario, scenario.traffic(seed, ratePerS, 'fixed'));
  const watchers = rules.flatMap((name) => {
    const rule = makeRule(name, scenario, skipEmpty);
    return rule === null ? [] : [new FixedWatcher(name, rule)];
  });
  timeline.begin(w);
  let open = watchers;
  while (timeline.atS < FIXED_S && open.length > 0) {
    const stepS = stepOf(open.map(({ rule }) => rule));
    while (timeline.atS < FIXED_S && open.every(({ ending }) => ending === null)) {
      // From wherever the last rule ended to the next full step.
      timeline.advance(stepS - (timeline.atS % stepS));
      for (const watcher of open) watcher.look(timeline, setting);
    }
    open = open.filter(({ ending }) => ending === null);
  }
  return new Map(watchers.map(({ name, ending }) => [name, ending ?? timeline.ending('held', null)]));
}

class FixedWatcher {
  readonly name: RuleName;
  readonly rule: Rule;
  ending: Ending | null = null;
  #readyAtS: number | null = null;

  constructor(name: RuleName, rule: Rule) {
    this.name = name;
    this.rule = rule;
  }

  look(timeline: Timeline, setting: Setting): void {
    if (timeline.atS % this.rule.everyS !== 0) return;
    const look = timeline.look(setting, 'fixed', null);
    const decision = this.rule.decide(look);
    if (decision === 'advance') this.#readyAtS ??= look.atS;
    if (decision === 'rollback') this.ending = timeline.ending('rolledBack', this.#readyAtS);
    else if (look.atS >= FIXED_S) {
      // The peers know two answers only: what was not rolled back when time is up is promoted.
      const promoted = decision === 'advance' || this.name !== 'coalmine';
      this.ending = timeline.ending(promoted ? 'promoted' : 'held', this.#readyAtS);
    }
  }
}

/** A ramp, each rule on its own timetable, so each has its own stream; all begin with the same seed. */
export function runRamp(setting: Setting, name: RuleName): Ending | null {
  const { scenario, ratePerS, seed, skipEmpty } = setting;
  const rule = makeRule(name, scenario, skipEmpty);
  if (rule === null) return null;
  const timeline = new Timeline(scenario, scenario.traffic(seed, ratePerS, 'ramp'));
  let stage = 0;
  timeline.begin(RAMP[stage] as number);
  while (timeline.atS < RAMP_S) {
    timeline.advance(stepOf([rule]));
    if (timeline.atS % rule.everyS !== 0) continue;
    const decision = rule.decide(timeline.look(setting, 'ramp', RAMP[stage + 1] ?? null));
    if (decision === 'rollback') return timeline.ending('rolledBack', null);
    if (decision === 'stay') continue;
    stage++;
    const w = RAMP[stage];
    if (w === undefined) return timeline.ending('promoted', timeline.atS);
    timeline.begin(w);
  }
  return timeline.ending('held', null);
}
