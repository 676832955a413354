import type { Slice } from '../../../src/core/judge/evidence.ts';
import type { GateSpec, JudgePlan, Verdict } from '../../../src/core/judge/gates.ts';
import { type JudgeMemo, judgeWith } from '../../../src/core/judge/judge.ts';
import { type ArmCounts, evidenceOf, freeze, type Minute, slower, slowerThanFrozen } from '../traffic.ts';
import type { Decision, Look, Rule } from './rule.ts';

const ALPHA = 0.01;
const BETA = 0.01;
const MIN_SAMPLES = 50;
const DWELL_S = 60;

const KEEN_S = 600;
const PATIENT_EVERY_S = 10;

/**
 * coalmine's judge, a look a second. Looks that cannot change anything are left out. A gate that compares bad
 * events weighs likelihoods of "an event is the canary's" against its share w, so evidence only rises with an
 * event of the canary's, and then at most 1/w times; with other gates it is asked every second for ten minutes of
 * a stage and every ten seconds from then on. So it is with whether it may advance (at a fixed weight, where this
 * is for the table only, every five seconds at first).
 */
export class OurRule implements Rule {
  readonly everyS = 1;
  readonly #plan: JudgePlan;
  /** Silence of the canary is no news: every gate looks at bad events of the canary. */
  readonly #harmIsEvents: boolean;
  readonly #everyLook: boolean;
  readonly #slices: Slice[] = [];
  #memo: JudgeMemo | null = null;
  #completeMinutes = 0;
  #completeHarm = 0;
  #completeRequests = 0;
  #judgedHarm = 0;
  /** By how much the logarithm of the evidence has to rise before it can roll back. */
  #headroom = 0;
  #judgedRequests = 0;
  #passed = false;

  /** `everyLook`: leave none out, for the test that it makes no difference. */
  constructor(gates: readonly GateSpec[], everyLook = false) {
    this.#everyLook = everyLook;
    this.#plan = { gates, alpha: ALPHA, beta: BETA, minSamples: MIN_SAMPLES };
    this.#harmIsEvents = gates.every(({ kind }) => kind === 'successRate' || kind === 'latency');
  }

  decide(look: Look): Decision {
    const { harm, requests } = this.#count(look.minutes);
    if (!this.#mayFail(look, harm, requests) && !this.#mayAdvance(look, requests)) return 'stay';
    this.#judgedHarm = harm;
    this.#judgedRequests = requests;
    const verdict = this.#judge(look);
    this.#headroom = Math.log(verdict.neededM / Math.max(1, verdict.M));
    if (verdict.state === 'FAIL') return 'rollback';
    if (look.stageS < DWELL_S || verdict.holdRamp) return 'stay';
    const ready = look.nextW === null ? verdict.state === 'PASS' : advances(verdict);
    this.#passed ||= ready;
    return ready ? 'advance' : 'stay';
  }

  /** The canary's events and requests so far; only the last minute still grows. */
  #count(minutes: readonly Minute[]): { harm: number; requests: number } {
    while (this.#completeMinutes < minutes.length - 1) {
      const complete = minutes[this.#completeMinutes++] as Minute;
      this.#completeHarm += harmOf(complete);
      this.#completeRequests += complete.canary.requests;
    }
    const last = minutes.at(-1) as Minute;
    return {
      harm: this.#completeHarm + harmOf(last),
      requests: this.#completeRequests + last.canary.requests,
    };
  }

  #mayFail({ stageS, minutes }: Look, harm: number, requests: number): boolean {
    if (this.#everyLook) return true;
    if (!this.#harmIsEvents) return requests > this.#judgedRequests && isDue(stageS, 1);
    const w = (minutes.at(-1) as Minute).w;
    return (harm - this.#judgedHarm) * Math.log(1 / w) >= this.#headroom;
  }

  #mayAdvance({ mode, stageS }: Look, requests: number): boolean {
    if (stageS < DWELL_S) return false;
    if (mode === 'ramp') return isDue(stageS, requests > this.#judgedRequests ? 1 : PATIENT_EVERY_S);
    // At a fixed weight two things are asked: when it passed first, and whether it passes in the end.
    return stageS % 3600 === 0 || (!this.#passed && requests > this.#judgedRequests && isDue(stageS, 5));
  }

  #judge({ minutes, ratePerS, nextW }: Look): Verdict {
    // All but the last have not changed since they were complete.
    const from = Math.max(0, this.#slices.length - 1);
    this.#slices.length = from;
    for (const minute of minutes.slice(from)) this.#slices.push(freeze(minute));
    const context = { ratePerS, nextW, latched: [] };
    const evidence = evidenceOf(this.#slices.slice());
    const { verdict, memo } = judgeWith(this.#plan, evidence, context, this.#memo);
    this.#memo = memo;
    return verdict;
  }
}

function advances({ state, advance }: Verdict): boolean {
  return state !== 'ERROR' && advance.ready;
}

function harmOf({ canary }: Minute): number {
  return canary.firstErrors + harmInLatency(canary);
}

function harmInLatency(arm: ArmCounts): number {
  if (arm.latency.length === 0) return 0;
  let harm = slower(arm) + slowerThanFrozen(arm);
  // A burst counts once, and only until it turns out to be none.
  for (const { events, bursts } of Object.values(arm.slowBursts)) harm += bursts - events;
  return harm;
}

/** Ten minutes into a stage ten seconds make no difference. */
function isDue(stageS: number, everyS: number): boolean {
  return stageS % (stageS <= KEEN_S ? everyS : PATIENT_EVERY_S) === 0;
}
