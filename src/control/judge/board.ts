import type { ArmTally, PairTally } from '../../core/arms.ts';
import { shareBeside, sharesUnder, termsOf } from '../../core/comparison.ts';
import type { Evidence, KpiCount } from '../../core/judge/evidence.ts';
import type { Verdict } from '../../core/judge/gates.ts';
import { judgeWith } from '../../core/judge/judge.ts';
import type { SavedJudge } from '../../core/judge/saved.ts';
import type { ServiceJudge } from '../../core/judge/service.ts';
import type { Service, Split } from '../../core/model.ts';
import type { VerdictState } from '../../core/rollout/state.ts';
import type { Clock, Log } from '../../ports.ts';
import type { Windows } from '../windows.ts';
import {
  type Bench,
  before,
  begin,
  type Counted,
  causeOf,
  epochOf,
  failedOf,
  goOn,
  isAbout,
  namesOf,
  newBench,
  questionOf,
  type Side,
  stableOf,
  toldOf,
  versionName,
  versionOf,
} from './bench.ts';
import { dress } from './dress.ts';
import { Stages } from './stages.ts';
import { comparedPerS, frozenOf } from './traffic.ts';

/** Between two looks at the same service, real time. */
const LOOK_MS = 1_000;
/** Services looked at in one tick: so many at least, or all of them in so many ticks. */
const AT_ONCE = 4;
const TURNS = 16;
/** A tick takes no longer than this and one service more, as it would where the code has just been loaded. */
const TICK_MS = 2;

/** Where a rollout stands, as far as its judge must know. */
export interface Position {
  /** Of the rollout; a new one has evidence of its own. */
  readonly number: number;
  readonly underWay: boolean;
  /** The canary's next share, 0..1; null: this is its last. */
  readonly nextW: number | null;
  /** Wall clock; what was answered before belongs to an attempt that was given up. 0: there was none. */
  readonly notBeforeMs: number;
}

export interface BoardDeps {
  /** Of one service. */
  readonly armsOf: (service: string) => readonly ArmTally[];
  readonly pairsOf: (service: string) => readonly PairTally[];
  /** Bounded sets that are full: `SERVICE stage STAGE: what`. */
  readonly capped: () => readonly string[];
  readonly windows: Windows;
  readonly clock: Clock;
  readonly log: Log;
  split(): Split;
  position(service: string): Position | null;
  /** Tells the rollout; nothing happens where there is none. */
  tell(service: string, verdict: VerdictState, text: string, evidence: readonly string[]): void;
  /** The Split has to be dressed anew, for what is counted has changed. */
  redress(service: string): void;
  /** What a process before this one had counted of the same, asked once; null, or without this: nothing. */
  recall?(service: Service, bench: Bench, epoch: string): SavedJudge | null;
}

/** What is known of one version against stable. */
export interface Comparison {
  readonly version: string;
  readonly evidence: Evidence;
  /** What the gates say; null: not judged yet. */
  readonly verdict: Verdict | null;
}

/** One comparison that an event counts in, on the canary's side or on stable's, and at which share. */
interface Aim {
  readonly side: Side;
  readonly own: boolean;
  readonly w: number;
}

interface Target {
  readonly serial: number;
  /** The one in force; null: the event came about at other shares. */
  readonly stage: number | null;
  readonly sides: readonly Aim[];
}

/** Every judge of this gateway: collects, judges once a second, tells. */
export class Board {
  readonly #deps: BoardDeps;
  #benches = new Map<string, Bench>();
  readonly #stages = new Stages();
  #toldCapsAtMs = Number.NEGATIVE_INFINITY;
  #toldCaps: ReadonlySet<string> = new Set();
  #services: { readonly of: Split; readonly byName: ReadonlyMap<string, Service> } | null = null;
  /** Times that evidence was begun. */
  #begun = 0;
  /** Asked for with every piece of feedback. */
  readonly #terms = new WeakMap<Service, string | null>();

  constructor(deps: BoardDeps) {
    this.#deps = deps;
  }

  /** Takes over a config's judges; a judge that asks what it asked goes on with its evidence. */
  adopt(judges: readonly ServiceJudge[]): void {
    const next = new Map<string, Bench>();
    for (const judge of judges) {
      const held = this.#benches.get(judge.service);
      const same = held !== undefined && questionOf(held.judge) === questionOf(judge);
      next.set(judge.service, same ? { ...held, judge } : newBench(judge));
    }
    this.#benches = next;
  }

  dress(service: Service, scope: string | null): Service {
    const bench = this.#benches.get(service.name);
    return dress(service, bench?.judge, scope, bench?.frozen ?? new Map());
  }

  /** Remembers which shares each stage had; called with every Split that comes into force. */
  follow(split: Split): void {
    this.#stages.follow(split, this.#deps.clock.nowMs());
  }

  /**
   * Called often; looks at each service once a second. At many of them a few at a time, those first that have
   * waited longest: users' requests wait for a look, so they spread over the second.
   */
  tick(): void {
    const nowMs = this.#deps.clock.nowMs();
    const due = [...this.#benches].filter(([, { lookedAtMs }]) => nowMs - lookedAtMs >= LOOK_MS);
    if (due.length === 0) return;
    const most = Math.max(AT_ONCE, Math.ceil(this.#benches.size / TURNS));
    if (due.length > AT_ONCE) due.sort(([, a], [, b]) => a.lookedAtMs - b.lookedAtMs);
    if (nowMs - this.#toldCapsAtMs >= LOOK_MS) this.#tellCaps(nowMs);
    for (const [name, bench] of due.slice(0, most)) {
      this.#lookAt(name, bench, nowMs);
      // What is left comes first in the next tick.
      if (this.#deps.clock.nowMs() - nowMs >= TICK_MS) break;
    }
  }

  /** Null until what has just begun was looked at: what was said of the one before is not about it. */
  verdict(service: string): Verdict | null {
    return this.bench(service)?.sides[0]?.verdict ?? null;
  }

  judgeOf(service: string): ServiceJudge | null {
    return this.#benches.get(service)?.judge ?? null;
  }

  /** Every service whose config has an experiment. */
  experiments(): readonly ServiceJudge[] {
    return [...this.#benches.values()].flatMap(({ judge }) => (judge.experiment === null ? [] : [judge]));
  }

  /** The judge at work on what is there now, with what it knows; null: there is none, or it has not looked yet. */
  bench(name: string): Bench | null {
    const bench = this.#benches.get(name);
    const service = this.#serviceOf(name);
    if (bench === undefined || service === undefined) return null;
    const epoch = epochOf(bench, service, this.#deps.position(name)?.number ?? null);
    return isAbout(bench, service, epoch) ? bench : null;
  }

  /** Takes what was counted since the last look into the evidence; nothing is judged, and nobody is told. */
  collect(): void {
    const nowMs = this.#deps.clock.nowMs();
    for (const service of this.#deps.split().services) {
      const { name } = service;
      const bench = this.bench(name);
      if (bench === null || !(this.#deps.position(name)?.underWay ?? true)) continue;
      for (const side of bench.sides) this.#collect(side, service, this.#countedOf(name), nowMs);
    }
  }

  evidence(service: string) {
    return this.#benches.get(service)?.sides[0]?.collector.evidence ?? null;
  }

  /** The canary, or every variant of an experiment but stable; none until what has just begun was looked at. */
  comparisons(service: string): readonly Comparison[] {
    const bench = this.bench(service);
    const current = this.#serviceOf(service);
    if (bench === null || current === undefined) return [];
    return bench.sides.map((side) => {
      const version = versionOf(side, current);
      return { version, evidence: side.collector.evidence, verdict: side.verdict };
    });
  }

  /** Begins the evidence on one version anew, from the stage in force, as when it is given users again. */
  forget(service: string, version: string): void {
    const bench = this.#benches.get(service);
    const current = this.#serviceOf(service);
    if (bench === undefined || current === undefined) return;
    const past = before(current, this.#countedOf(service));
    bench.serial = ++this.#begun;
    for (const side of bench.sides) {
      if (versionOf(side, current) !== version) continue;
      begin(side, past);
      side.notBeforeMs = this.#deps.clock.wallMs();
    }
  }

  /**
   * Where feedback on what a version answered under these terms belongs: a text, within which users are told
   * apart. Null: that is not compared here. The terms may be of another process, a restarted or a neighbouring one.
   *
   * @param atS wall clock of the answer; null: just now
   */
  placeOf(service: string, version: string, terms: string, atS: number | null): string | null {
    const target = this.#targetOf(service, version, terms);
    if (target === null) return null;
    const { serial, stage, sides } = target;
    const isLater = ({ side }: Aim) => atS === null || atS >= Math.floor(side.notBeforeMs / 1_000);
    if (!sides.some(isLater)) return null;
    return stage === null ? `shares ${terms}, evidence ${serial}` : `stage ${stage}, evidence ${serial}`;
  }

  /** Feedback that has a place; false where it has none any more. */
  addKpi(service: string, version: string, terms: string, kpi: string, count: KpiCount): boolean {
    const target = this.#targetOf(service, version, terms);
    if (target === null) return false;
    const { stage, sides } = target;
    const taken = sides.map(({ side: { collector }, own, w }) =>
      stage === null ? collector.addLate(w, own, kpi, count) : collector.addKpi(stage, own, kpi, count),
    );
    return taken.includes(true);
  }

  #targetOf(name: string, version: string, terms: string): Target | null {
    const bench = this.#benches.get(name);
    const service = this.#serviceOf(name);
    if (bench === undefined || service?.judged == null) return null;
    const shares = sharesUnder(terms, service);
    if (shares === null) return null;
    // Users may be quicker than the next look.
    const nowMs = this.#deps.clock.nowMs();
    const beganMs = this.#stages.beganMs(service);
    const isUnseen = beganMs !== null && beganMs >= bench.lookedAtMs && nowMs > bench.lookedAtMs;
    if (isUnseen) this.#lookAt(name, bench, nowMs);
    const stage = terms === this.#termsOf(service) ? service.stage : null;
    const isGoingOn = this.#deps.position(name)?.underWay ?? true;
    const sides = bench.sides.flatMap((side): Aim[] => {
      const variant = versionOf(side, service);
      const own = variant === version;
      const index = service.versions.findIndex((one) => one.name === variant);
      const w = own || stableOf(service) === version ? shareBeside(shares, index, service.stable) : null;
      const { collector } = side;
      if (w === null || w === 0) return [];
      if (stage !== null) return collector.has(stage) ? [{ side, own, w }] : [];
      const isKept = isGoingOn || collector.evidence.slices.length > 0;
      return isKept && collector.hasRoom(w) ? [{ side, own, w }] : [];
    });
    return sides.length === 0 ? null : { serial: bench.serial, stage, sides };
  }

  #termsOf(service: Service): string | null {
    let terms = this.#terms.get(service);
    if (terms === undefined) {
      terms = termsOf(service);
      this.#terms.set(service, terms);
    }
    return terms;
  }

  /** A full set turns users of every version away alike: less is learned, nothing is skewed, so it holds nothing. */
  #tellCaps(nowMs: number): void {
    this.#toldCapsAtMs = nowMs;
    const full = this.#deps.capped();
    for (const text of full) {
      if (!this.#toldCaps.has(text)) this.#deps.log.warn({ full: text }, 'the judge counts no further users');
    }
    this.#toldCaps = new Set(full);
  }

  #lookAt(name: string, bench: Bench, nowMs: number): void {
    const lastMs = bench.lookedAtMs;
    bench.lookedAtMs = nowMs;
    const service = this.#serviceOf(name);
    if (service?.judged != null) this.#look(bench, service, this.#countedOf(name), nowMs, lastMs);
  }

  #countedOf(service: string): Counted {
    return { arms: this.#deps.armsOf(service), pairs: this.#deps.pairsOf(service) };
  }

  /** As the Split in force has it. */
  #serviceOf(name: string): Service | undefined {
    const split = this.#deps.split();
    if (this.#services?.of !== split) {
      this.#services = { of: split, byName: new Map(split.services.map((one) => [one.name, one])) };
    }
    return this.#services.byName.get(name);
  }

  #look(bench: Bench, service: Service, counted: Counted, nowMs: number, lastMs: number): void {
    const position = this.#deps.position(service.name);
    const epoch = epochOf(bench, service, position?.number ?? null);
    if (!isAbout(bench, service, epoch)) {
      const past = this.#isNew(service, nowMs, lastMs) ? before(service, counted) : counted;
      this.#begin(bench, service, past, epoch, position);
    }
    if (position !== null && !position.underWay) {
      for (const side of bench.sides) if (!side.isOver) this.#judge(bench, side, service, position);
      return;
    }
    this.#freeze(bench, service);
    for (const side of bench.sides) {
      this.#collect(side, service, counted, nowMs);
      this.#judge(bench, side, service, position);
    }
    const [canary] = bench.sides;
    if (canary?.verdict != null && bench.plan.gates.length > 0) {
      this.#tell(service.name, canary.verdict, canary.failed);
    }
  }

  /**
   * Its stage began since the last look, so all that was counted in it is about what is there now. It must not be
   * given up: who failed in it is nobody's first failure any more.
   */
  #isNew(service: Service, nowMs: number, lastMs: number): boolean {
    const beganMs = this.#stages.beganMs(service);
    return beganMs !== null && beganMs >= (Number.isFinite(lastMs) ? lastMs : nowMs - 2 * LOOK_MS);
  }

  /** @param past what was counted before it began */
  #begin(bench: Bench, service: Service, past: Counted, epoch: string, position: Position | null): void {
    const saved = bench.epoch === null ? (this.#deps.recall?.(service, bench, epoch) ?? null) : null;
    bench.epoch = epoch;
    bench.edgesMs = service.latencyEdgesMs;
    bench.serial = ++this.#begun;
    if (saved !== null) {
      goOn(bench, saved);
      if (bench.frozen.size > 0) this.#deps.redress(service.name);
      return;
    }
    for (const side of bench.sides) begin(side, past, position?.notBeforeMs ?? 0);
    // Stable may be another version by now.
    bench.frozen = new Map();
  }

  /** With what was collected. Once the rollout is over that is done once more, without forecasts. */
  #judge(bench: Bench, side: Side, service: Service, position: Position | null): void {
    const isOver = position !== null && !position.underWay;
    side.isOver = isOver;
    if (isOver && side.verdict === null) return;
    const names = namesOf(side, service);
    const context = {
      ratePerS: comparedPerS(side.collector.evidence.slices, this.#deps.windows, service.name, names.stable),
      pairsPerS: side.collector.pairsPerS,
      nextW: position?.nextW ?? null,
      over: isOver,
      latched: side.failed,
      names,
    };
    const { verdict, memo } = judgeWith(bench.plan, side.collector.evidence, context, side.memo);
    side.memo = memo;
    side.verdict = verdict;
    side.failed = failedOf(verdict);
  }

  #collect(side: Side, service: Service, { arms, pairs }: Counted, nowMs: number): void {
    const names = namesOf(side, service);
    side.collector.look(
      arms,
      // Copies go to the canary alone.
      names.canary === versionName(service, service.judged?.canary) ? pairs : [],
      names,
      (stage) => this.#stages.shareOf(service, stage, names.canary),
      service.stage,
      nowMs,
    );
  }

  #tell(service: string, verdict: Verdict, failed: readonly string[]): void {
    const { text, evidence } = causeOf(verdict);
    this.#deps.tell(service, toldOf(verdict, failed), text, evidence);
  }

  /** Stable's own quantile, once: from then on it is what "slower than stable" means. */
  #freeze(bench: Bench, service: Service): void {
    if (bench.frozen.size > 0) return;
    const frozen = frozenOf(this.#deps.windows, bench.judge.plan, service.name, stableOf(service));
    if (frozen === null) return;
    bench.frozen = frozen;
    this.#deps.redress(service.name);
  }
}
