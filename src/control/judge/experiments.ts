import { definitionOf } from '../../config/compile/definition.ts';
import { carryStages } from '../../config/diff.ts';
import { comparedShares } from '../../core/comparison.ts';
import type { Arm, Slice } from '../../core/judge/evidence.ts';
import {
  type ExperimentVerdict,
  judgeExperiment,
  pairsOf,
  type ExperimentPlan as TestPlan,
} from '../../core/judge/experiment.ts';
import { entry } from '../../core/judge/gates/reading.ts';
import type { SavedCourse } from '../../core/judge/saved.ts';
import type { ExperimentPlan, ServiceJudge } from '../../core/judge/service.ts';
import type { Service } from '../../core/model.ts';
import type { Clock, Log } from '../../ports.ts';
import type { Holder } from '../holder.ts';
import { sharesWith, withShares } from '../weights.ts';
import { questionOf } from './bench.ts';
import type { Board, Comparison } from './board.ts';
import { type ExperimentView, experimentView, type Stop, type VariantTotals } from './experiment-view.ts';
import { identityOf } from './identity.ts';

const LOOK_MS = 1_000;
/** Variants no further apart than this are equivalent. */
const WITHIN = 0.05;

export interface ExperimentsDeps {
  readonly board: Pick<Board, 'comparisons' | 'experiments' | 'forget'>;
  holder(): Holder;
  readonly clock: Clock;
  readonly log: Log;
}

/** One experiment at work. */
interface Course {
  /** A hash of what is compared, and with which judge; another one has nothing to do with this. */
  readonly about: string;
  /** Variants that a guardrail took from the users. */
  readonly stops: Map<string, Stop>;
  stretch: Stretch;
  verdict: ExperimentVerdict | null;
  /** The state that the log was told of. */
  told: string;
  /** From a process before this one, whose stopped variants have their users of the config again. */
  isRecalled: boolean;
}

/** A time with the same shares: only in one can counts of variants be laid beside each other. */
interface Stretch {
  readonly shares: ReadonlyMap<string, number>;
  readonly firstStage: number;
  readonly beganMs: number;
  readonly beganWallMs: number;
}

/**
 * The experiments of this gateway. Each is judged once a second by what the board
 * collects. Nothing follows from its verdict, but a variant that a gate fails gets
 * no more users.
 */
export class Experiments {
  readonly #deps: ExperimentsDeps;
  #courses = new Map<string, Course>();
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: ExperimentsDeps) {
    this.#deps = deps;
  }

  /** Called often, after the board's; looks once a second. */
  tick(): void {
    const nowMs = this.#deps.clock.nowMs();
    if (nowMs - this.#lookedAtMs < LOOK_MS) return;
    this.#lookedAtMs = nowMs;
    const next = new Map<string, Course>();
    for (const judge of this.#deps.board.experiments()) {
      const service = this.#service(judge.service);
      if (service === undefined || judge.experiment === null) continue;
      const course = this.#courseOf(service, judge, judge.experiment);
      next.set(judge.service, course);
      this.#look(course, service, judge.experiment, nowMs);
    }
    this.#courses = next;
  }

  experiments(): ExperimentView[] {
    return this.#deps.board.experiments().flatMap(({ service }) => this.experiment(service) ?? []);
  }

  /** Null: the service has none, or it was not looked at yet. */
  experiment(name: string): ExperimentView | null {
    const judge = this.#deps.board.experiments().find(({ service }) => service === name);
    const service = this.#service(name);
    const course = this.#courses.get(name);
    if (judge === undefined || judge.experiment === null || service === undefined || course === undefined) {
      return null;
    }
    const { stretch, verdict, stops } = course;
    const comparisons = this.#deps.board.comparisons(name);
    return experimentView({
      service,
      plan: judge.experiment,
      hasGates: judge.plan.gates.length > 0,
      began: new Date(stretch.beganWallMs).toISOString(),
      elapsedMs: this.#deps.clock.nowMs() - stretch.beganMs,
      verdict,
      totals: totalsOf(judge.experiment, stretch, comparisons),
      comparisons,
      stops,
    });
  }

  /** How an experiment stands, for the process after this one; null: there is none. */
  course(name: string): SavedCourse | null {
    const course = this.#courses.get(name);
    if (course === undefined) return null;
    const { about, stretch, stops, told } = course;
    const { firstStage, beganWallMs } = stretch;
    return {
      about,
      shares: Object.fromEntries(stretch.shares),
      firstStage,
      elapsedMs: Math.max(0, this.#deps.clock.nowMs() - stretch.beganMs),
      beganWallMs,
      stops: Object.fromEntries(stops),
      told,
    };
  }

  /** Goes on from there, if it is about the same. */
  recall(
    name: string,
    { about, stops, told, shares, firstStage, elapsedMs, beganWallMs }: SavedCourse,
  ): void {
    const beganMs = this.#deps.clock.nowMs() - elapsedMs;
    this.#courses.set(name, {
      about,
      stops: new Map(Object.entries(stops)),
      stretch: { shares: new Map(Object.entries(shares)), firstStage, beganMs, beganWallMs },
      verdict: null,
      told,
      isRecalled: true,
    });
  }

  /** As it goes on, or a new one where what it is about has changed. */
  #courseOf(service: Service, judge: ServiceJudge, plan: ExperimentPlan): Course {
    const { clock, board } = this.#deps;
    const about = definitionOf([questionOf(judge), identityOf(service, judge.revisions)]);
    const held = this.#courses.get(service.name);
    const current =
      held?.isRecalled === true && held.about === about ? this.#stopAgain(held, service) : service;
    const shares = sharesOf(current, plan);
    const stretch = (): Stretch => ({
      shares,
      firstStage: current.stage,
      beganMs: clock.nowMs(),
      beganWallMs: clock.wallMs(),
    });
    if (held === undefined || held.about !== about) {
      return {
        about,
        stops: new Map(),
        stretch: stretch(),
        verdict: null,
        told: 'continue',
        isRecalled: false,
      };
    }
    if (sameShares(held.stretch.shares, shares)) return held;
    held.stretch = stretch();
    for (const name of held.stops.keys()) {
      if ((shares.get(name) ?? 0) === 0) continue;
      // Whoever gives it users again means to try again.
      held.stops.delete(name);
      board.forget(service.name, name);
    }
    return held;
  }

  #look(course: Course, service: Service, plan: ExperimentPlan, nowMs: number): void {
    const comparisons = this.#deps.board.comparisons(service.name);
    for (const { version, verdict } of comparisons) {
      if (verdict?.state !== 'FAIL' || (course.stretch.shares.get(version) ?? 0) === 0) continue;
      if (!course.stops.has(version)) this.#stop(course, service.name, version, verdict.text);
    }
    const { stretch } = course;
    const test = testOf(plan, stretch.shares);
    const totals = totalsOf(plan, stretch, comparisons);
    course.verdict =
      test === null ? null : judgeExperiment(test, Object.fromEntries(totals), nowMs - stretch.beganMs);
    this.#tell(course, service.name, plan);
  }

  /** A weight of 0 that is not in the config is forgotten with the process; what failed is not. */
  #stopAgain(course: Course, service: Service): Service {
    course.isRecalled = false;
    for (const version of course.stops.keys()) this.#takeUsers(service.name, version);
    return this.#service(service.name) ?? service;
  }

  #takeUsers(name: string, version: string): boolean {
    const { holder, log } = this.#deps;
    const before = holder().split();
    const service = this.#service(name);
    const wanted = service === undefined ? null : sharesWith(service, version, 0);
    if (wanted === null || !wanted.ok) return false;
    try {
      holder().swap(carryStages(before, withShares(before, name, wanted.shares)));
      return true;
    } catch (error) {
      log.error(
        { err: error, service: name, version },
        'a failing variant could not be taken from its users',
      );
      return false;
    }
  }

  #stop(course: Course, name: string, version: string, because: string): void {
    const { log, clock } = this.#deps;
    if (!this.#takeUsers(name, version)) return;
    course.stops.set(version, { at: new Date(clock.wallMs()).toISOString(), because });
    log.warn({ service: name, version }, `experiment: ${version} gets no more users: ${because}`);
  }

  #tell(course: Course, service: string, { kpi }: ExperimentPlan): void {
    const { verdict } = course;
    const state = toldOf(verdict);
    if (state === course.told) return;
    course.told = state;
    const { log } = this.#deps;
    if (verdict === null) {
      log.info({ service, kpi }, 'experiment: fewer than two variants have users, nothing is compared');
    } else if (verdict.state === 'ERROR') {
      log.warn({ service, kpi }, `experiment: ${verdict.text}`);
    } else
      log.info({ service, kpi, winner: verdict.winner }, `experiment: ${verdict.state}: ${verdict.text}`);
  }

  #service(name: string): Service | undefined {
    const { services } = this.#deps.holder().split();
    return services.find((service) => service.name === name);
  }
}

/** What the log is told of once. */
function toldOf(verdict: ExperimentVerdict | null): string {
  if (verdict === null) return 'idle';
  switch (verdict.state) {
    case 'winner':
    case 'equivalent':
      return `${verdict.state} ${verdict.leaders.join(', ')}`;
    default:
      return verdict.state;
  }
}

/** What each variant gets of all compared requests, 0..1. */
function sharesOf(service: Service, { variants }: ExperimentPlan): ReadonlyMap<string, number> {
  const dealt = comparedShares(service);
  return new Map(
    variants.map((name) => {
      const version = service.versions.findIndex((one) => one.name === name);
      return [name, (dealt?.get(version) ?? 0) / 10_000];
    }),
  );
}

function sameShares(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([name, share]) => b.get(name) === share);
}

/** The test among those that have users; null: nobody to compare. Who has left takes a share of alpha along. */
function testOf(plan: ExperimentPlan, shares: ReadonlyMap<string, number>): TestPlan | null {
  const [control = ''] = plan.variants;
  const present = plan.variants.filter((name) => (shares.get(name) ?? 0) > 0);
  if (present.length < 2 || !present.includes(control)) return null;
  const sum = present.reduce((total, name) => total + (shares.get(name) ?? 0), 0);
  return {
    kpi: plan.kpi,
    alpha: (plan.alpha * pairsOf(present.length)) / pairsOf(plan.variants.length),
    within: WITHIN,
    control,
    variants: present.map((name) => ({ name, share: (shares.get(name) ?? 0) / sum })),
  };
}

function totalsOf(
  { kpi, variants }: ExperimentPlan,
  { shares, firstStage }: Stretch,
  comparisons: readonly Comparison[],
): ReadonlyMap<string, VariantTotals> {
  const [control = ''] = variants;
  const sum = (comparison: Comparison | undefined, armOf: (slice: Slice) => Arm): VariantTotals => {
    const total = { requests: 0, keys: 0, events: 0, firsts: 0 };
    for (const slice of comparison?.evidence.slices ?? []) {
      if (slice.stage < firstStage) continue;
      const { requests, keys, kpis } = armOf(slice);
      total.requests += requests;
      total.keys += keys;
      total.events += entry(kpis, kpi)?.events ?? 0;
      total.firsts += entry(kpis, kpi)?.firsts ?? 0;
    }
    return total;
  };
  const present = comparisons.find(({ version }) => (shares.get(version) ?? 0) > 0);
  return new Map(
    variants.map((name) =>
      name === control
        ? [name, sum(present, ({ stable }) => stable)]
        : [
            name,
            sum(
              comparisons.find(({ version }) => version === name),
              ({ canary }) => canary,
            ),
          ],
    ),
  );
}
