import { quantileOf } from '../../core/analysis/tally-read.ts';
import type { ArmTally, PairTally } from '../../core/arms.ts';
import type { Evidence, KpiCount } from '../../core/judge/evidence.ts';
import type { JudgePlan, Verdict } from '../../core/judge/gates.ts';
import { type JudgeMemo, judgeWith } from '../../core/judge/judge.ts';
import type { ServiceJudge } from '../../core/judge/service.ts';
import type { Service, Split } from '../../core/model.ts';
import type { VerdictState } from '../../core/rollout/state.ts';
import type { Clock, Log } from '../../ports.ts';
import type { Windows } from '../windows.ts';
import { type ArmNames, Collector } from './collector.ts';
import { comparedShares, dress, type Frozen, shareBeside } from './dress.ts';
import { identityOf } from './identity.ts';

/** Between two looks at the same service, real time. */
const LOOK_MS = 1_000;
/** Stable's own latency is frozen from as many requests of the last so many milliseconds. */
const FROZEN_FROM_MS = 600_000;
const FROZEN_REQUESTS = 1_000;
const RATE_WINDOW_MS = 60_000;

/** Where a rollout stands, as far as its judge must know. */
export interface Position {
  /** Of the rollout; a new one has evidence of its own. */
  readonly number: number;
  readonly underWay: boolean;
  /** The canary's next share, 0..1; null: this is its last. */
  readonly nextW: number | null;
}

export interface BoardDeps {
  readonly arms: () => readonly ArmTally[];
  readonly pairs: () => readonly PairTally[];
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
}

/** One service's judge at work. */
interface Bench {
  readonly judge: ServiceJudge;
  /** Its gates, with what each comparison may spend of alpha. */
  readonly plan: JudgePlan;
  /** The canary, or each variant of an experiment but stable. */
  readonly sides: readonly Side[];
  /** What the evidence is about, such as the number of a rollout; null: nothing yet. */
  epoch: string | null;
  frozen: Frozen;
}

/** One version compared with stable. */
interface Side {
  /** By name; null: the canary, whichever that is. */
  readonly variant: string | null;
  collector: Collector;
  memo: JudgeMemo | null;
  failed: readonly string[];
  verdict: Verdict | null;
}

/** What is known of one version against stable. */
export interface Comparison {
  readonly version: string;
  readonly evidence: Evidence;
  /** What the gates say; null: not judged yet. */
  readonly verdict: Verdict | null;
}

interface Counted {
  readonly arms: readonly ArmTally[];
  readonly pairs: readonly PairTally[];
}

/** A stage that came into force: when, and who got which share of the compared requests. */
interface StageFacts {
  readonly beganMs: number;
  readonly beganWallMs: number;
  readonly shares: ReadonlyMap<string, number>;
}

/** Every judge of this gateway: collects, judges once a second, tells. */
export class Board {
  readonly #deps: BoardDeps;
  #benches = new Map<string, Bench>();
  /** By service and stage; what a stage's shares were decides how its counts are read. */
  readonly #stages = new Map<string, Map<number, StageFacts>>();
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #toldCaps: ReadonlySet<string> = new Set();

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
    const now = { beganMs: this.#deps.clock.nowMs(), beganWallMs: this.#deps.clock.wallMs() };
    const names = new Set(split.services.map(({ name }) => name));
    for (const name of this.#stages.keys()) if (!names.has(name)) this.#stages.delete(name);
    for (const service of split.services) {
      const dealt = comparedShares(service);
      if (dealt === null) continue;
      const stages = this.#stages.get(service.name) ?? new Map<number, StageFacts>();
      const { beganMs, beganWallMs } = stages.get(service.stage) ?? now;
      const shares = new Map<string, number>();
      for (const [version, { name }] of service.versions.entries()) {
        const share = shareBeside(dealt, version, service.stable);
        if (version !== service.stable && share !== null) shares.set(name, share);
      }
      this.#stages.set(service.name, stages.set(service.stage, { beganMs, beganWallMs, shares }));
    }
  }

  /** Called often; looks once a second. */
  tick(): void {
    const nowMs = this.#deps.clock.nowMs();
    if (nowMs - this.#lookedAtMs < LOOK_MS || this.#benches.size === 0) return;
    this.#lookedAtMs = nowMs;
    this.#tellCaps();
    const arms = groupBy(this.#deps.arms());
    const pairs = groupBy(this.#deps.pairs());
    const services = new Map(this.#deps.split().services.map((service) => [service.name, service]));
    for (const [name, bench] of this.#benches) {
      const service = services.get(name);
      if (service?.judged == null) continue;
      this.#look(bench, service, { arms: arms.get(name) ?? [], pairs: pairs.get(name) ?? [] }, nowMs);
    }
  }

  /** Null until what has just begun was looked at: what was said of the one before is not about it. */
  verdict(service: string): Verdict | null {
    const bench = this.#benches.get(service);
    const current = this.#deps.split().services.find(({ name }) => name === service);
    if (bench === undefined || current === undefined) return null;
    const isOld = bench.epoch !== epochOf(bench, current, this.#deps.position(service));
    return isOld ? null : (bench.sides[0]?.verdict ?? null);
  }

  judgeOf(service: string): ServiceJudge | null {
    return this.#benches.get(service)?.judge ?? null;
  }

  /** Every service whose config has an experiment. */
  experiments(): readonly ServiceJudge[] {
    return [...this.#benches.values()].flatMap(({ judge }) => (judge.experiment === null ? [] : [judge]));
  }

  evidence(service: string) {
    return this.#benches.get(service)?.sides[0]?.collector.evidence ?? null;
  }

  /** The canary, or every variant of an experiment but stable. */
  comparisons(service: string): readonly Comparison[] {
    const bench = this.#benches.get(service);
    const current = this.#deps.split().services.find(({ name }) => name === service);
    if (bench === undefined || current === undefined) return [];
    return bench.sides.map((side) => {
      const version = versionOf(side, current);
      return { version, evidence: side.collector.evidence, verdict: side.verdict };
    });
  }

  /** Begins the evidence on one version anew, from the stage in force, as when it is given users again. */
  forget(service: string, version: string): void {
    const bench = this.#benches.get(service);
    const current = this.#deps.split().services.find(({ name }) => name === service);
    if (bench === undefined || current === undefined) return;
    const past = before(current, { arms: this.#deps.arms(), pairs: this.#deps.pairs() });
    for (const side of bench.sides) if (versionOf(side, current) === version) begin(side, past);
  }

  /**
   * Whether requests of a stage that were answered then are among what is judged here.
   * Every process counts its stages from 0, so a number alone does not tell.
   */
  knowsStage(service: string, stage: number, atS: number): boolean {
    const facts = this.#stages.get(service)?.get(stage);
    return facts !== undefined && atS >= Math.floor(facts.beganWallMs / 1_000);
  }

  /** Feedback on requests of a stage; false where that stage or version is not judged any more. */
  addKpi(service: string, version: string, stage: number, kpi: string, count: KpiCount): boolean {
    const bench = this.#benches.get(service);
    const current = this.#deps.split().services.find(({ name }) => name === service);
    if (bench === undefined || current?.judged == null) return false;
    // Users may be quicker than the next look.
    if (stage === current.stage && !bench.sides.some(({ collector }) => collector.has(stage)))
      this.#lookNow();
    const stable = current.versions[current.stable]?.name === version;
    const taken = bench.sides.map((side) => {
      const own = versionOf(side, current) === version;
      return (own || stable) && side.collector.addKpi(stage, own, kpi, count);
    });
    return taken.includes(true);
  }

  /** Its stage began since the last look, so all that was counted in it is about what is there now. */
  #isNew({ name, stage }: Service): boolean {
    const facts = this.#stages.get(name)?.get(stage);
    return facts !== undefined && this.#deps.clock.nowMs() - facts.beganMs <= 2 * LOOK_MS;
  }

  /** A full set turns users of every version away alike: less is learned, nothing is skewed, so it holds nothing. */
  #tellCaps(): void {
    const full = this.#deps.capped();
    for (const text of full) {
      if (!this.#toldCaps.has(text)) this.#deps.log.warn({ full: text }, 'the judge counts no further users');
    }
    this.#toldCaps = new Set(full);
  }

  #lookNow(): void {
    this.#lookedAtMs = Number.NEGATIVE_INFINITY;
    this.tick();
  }

  #look(bench: Bench, service: Service, counted: Counted, nowMs: number): void {
    const position = this.#deps.position(service.name);
    const epoch = epochOf(bench, service, position);
    if (bench.epoch !== epoch) {
      const past = position === null && this.#isNew(service) ? before(service, counted) : counted;
      for (const side of bench.sides) begin(side, past);
      bench.epoch = epoch;
      // Stable may be another version by now.
      bench.frozen = new Map();
    }
    if (position !== null && !position.underWay) return;
    this.#freeze(bench, service);
    for (const side of bench.sides) {
      this.#collect(side, service, counted, nowMs);
      const context = {
        nowMs,
        ratePerS: this.#ratePerS(service, versionOf(side, service)),
        nextW: position?.nextW ?? null,
        latched: side.failed,
        names: { canary: versionOf(side, service), stable: stableOf(service) },
      };
      const judged = judgeWith(bench.plan, side.collector.evidence, context, side.memo);
      side.memo = judged.memo;
      side.verdict = judged.verdict;
      side.failed = judged.verdict.gates.filter(({ state }) => state === 'FAIL').map(({ name }) => name);
    }
    const [canary] = bench.sides;
    if (canary?.verdict != null && bench.plan.gates.length > 0) {
      this.#tell(service.name, canary.verdict, canary.failed);
    }
  }

  #collect(side: Side, service: Service, { arms, pairs }: Counted, nowMs: number): void {
    const version = versionOf(side, service);
    const stages = this.#stages.get(service.name);
    side.collector.look(
      arms,
      // Copies go to the canary alone.
      version === versionName(service, service.judged?.canary) ? pairs : [],
      namesOf(service, version),
      (stage) => stages?.get(stage)?.shares.get(version) ?? null,
      service.stage,
      nowMs,
    );
  }

  #tell(service: string, verdict: Verdict, failed: readonly string[]): void {
    const { state, holdRamp, advance, problems } = verdict;
    const why = state === 'ERROR' && problems.length > 0 ? problems.join('; ') : advance.why;
    const told: VerdictState = { state, holdRamp, ready: advance.ready, why, failed };
    this.#deps.tell(
      service,
      told,
      verdict.text,
      verdict.gates.map(({ name, state: own, text }) => `${name} ${own}: ${text}`),
    );
  }

  /** Stable's own quantile, a little stretched, once: from then on it is what "slower than stable" means. */
  #freeze(bench: Bench, service: Service): void {
    const gates = bench.judge.plan.gates.filter(({ kind }) => kind === 'latency');
    if (bench.frozen.size > 0 || gates.length === 0) return;
    const stable = service.versions[service.stable]?.name ?? '';
    const counts = this.#deps.windows.counts(service.name, stable, FROZEN_FROM_MS);
    if (counts === null || counts.requests < FROZEN_REQUESTS) return;
    const frozen = new Map<string, number>();
    for (const gate of gates) {
      if (gate.kind !== 'latency') continue;
      const own = quantileOf(counts, gate.quantile);
      if (own !== null) frozen.set(gate.name, own * (1 + gate.delta));
    }
    bench.frozen = frozen;
    this.#deps.redress(service.name);
  }

  #ratePerS(service: Service, version: string): number {
    let requests = 0;
    let spanMs = 0;
    for (const name of [stableOf(service), version]) {
      const counts = this.#deps.windows.counts(service.name, name, RATE_WINDOW_MS);
      requests += counts?.requests ?? 0;
      spanMs = Math.max(spanMs, counts?.spanMs ?? 0);
    }
    return spanMs === 0 ? 0 : (requests / spanMs) * 1_000;
  }
}

/** What is asked of a service; a new secret of prediction ids asks nothing new, nor does another revision. */
export function questionOf({ judged, revisions: _, ...rest }: ServiceJudge): string {
  return JSON.stringify([rest, { ...judged, predictionSecret: judged.predictionSecret !== null }]);
}

function newBench(judge: ServiceJudge): Bench {
  const { plan, experiment } = judge;
  const sides = (experiment?.variants.slice(1) ?? [null]).map(newSide);
  return {
    judge,
    // Each comparison may be wrong, so together they share what one may spend.
    plan: sides.length > 1 ? { ...plan, alpha: plan.alpha / sides.length } : plan,
    sides,
    epoch: null,
    frozen: new Map(),
  };
}

/** What evidence of now is about. */
function epochOf({ judge }: Bench, service: Service, position: Position | null): string {
  return position === null ? identityOf(service, judge.revisions) : String(position.number);
}

function newSide(variant: string | null): Side {
  return { variant, collector: new Collector(), memo: null, failed: [], verdict: null };
}

/** What has been counted until now says nothing of what begins. */
function begin(side: Side, { arms, pairs }: Counted): void {
  side.collector = new Collector();
  side.collector.skip(arms, pairs);
  side.memo = null;
  side.verdict = null;
  side.failed = [];
}

/** What was counted of a service in stages that are over. */
function before({ name, stage }: Service, { arms, pairs }: Counted): Counted {
  const isPast = (item: ArmTally | PairTally) => item.service === name && item.stage !== stage;
  return { arms: arms.filter(isPast), pairs: pairs.filter(isPast) };
}

function versionOf({ variant }: Side, service: Service): string {
  return variant ?? versionName(service, service.judged?.canary);
}

function stableOf(service: Service): string {
  return versionName(service, service.stable);
}

function versionName({ versions }: Service, index = -1): string {
  return versions[index]?.name ?? '';
}

function namesOf(service: Service, canary: string): ArmNames {
  const { judged, latencyEdgesMs } = service;
  return {
    stable: stableOf(service),
    canary,
    slow: (judged?.slow ?? []).map(({ gate }) => gate),
    unsure: (judged?.unsure ?? []).map(({ gate }) => gate),
    edgesMs: latencyEdgesMs,
  };
}

function groupBy<T extends { readonly service: string }>(items: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(item.service);
    if (group === undefined) groups.set(item.service, [item]);
    else group.push(item);
  }
  return groups;
}
