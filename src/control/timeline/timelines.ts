import type { Service, Split } from '../../core/model.ts';
import { weightBpOf } from '../../core/split/shares.ts';
import type { Clock } from '../../ports.ts';
import type { AnswerTotals, ArmsLifetime, PairTotals } from '../../tally/arms-lifetime.ts';
import type { Recorder, RunningTotals } from '../../tally/recorder.ts';
import type { TimelinePoint, TimelineView } from '../live-views.ts';
import { addAnswers, pairGain } from './answers.ts';
import { Gain } from './gain.ts';
import { Recent } from './recent.ts';
import { MAX_VERSIONS, selectServices } from './select.ts';
import { ServiceSeries, TIERS, type TierName } from './series.ts';
import { type Step, StepClock } from './step-clock.ts';

const STEP_MS = 1_000;
/**
 * Versions with a history, those included that have left the config. A column of both tiers takes
 * 27 kB, and a version has 6 and one for each class, 9 at most: so 400 kB each, 100 MB in all.
 */
const MAX_SERIES = MAX_VERSIONS + 56;

export interface TimelinesDeps {
  readonly totals: Pick<Recorder, 'readTotals'>;
  readonly answers: Pick<ArmsLifetime, 'answers' | 'pairs'>;
  readonly clock: Clock;
  split(): Split;
  /** Services that something is watched on: histories are kept of them first. */
  watched(): readonly string[];
}

/** The counters over time: of every service for the last seconds, of most for a day. */
export class Timelines {
  readonly #deps: TimelinesDeps;
  readonly #clock: StepClock;
  /** By service and version; every one that is counted. */
  readonly #recent = new Map<string, Map<string, Recent>>();
  #answers: ReadonlyMap<string, ReadonlyMap<string, AnswerTotals>> = new Map();
  #pairs: ReadonlyMap<string, PairTotals> = new Map();
  readonly #kept = new Map<string, ServiceSeries>();
  #selectedFor: Split | null = null;

  /** What was counted until now is in no step. */
  constructor(deps: TimelinesDeps) {
    this.#deps = deps;
    const nowMs = deps.clock.nowMs();
    this.#clock = new StepClock(STEP_MS, nowMs, deps.clock.wallMs());
    this.#count(nowMs);
  }

  /** Called often; looks once a second. The step that has ended; null: none has. */
  tick(): Step | null {
    const { clock } = this.#deps;
    const step = this.#clock.look(clock.nowMs(), clock.wallMs());
    if (step === null) return null;
    const split = this.#deps.split();
    if (split !== this.#selectedFor) this.#select(split, step.number);
    const pairsBefore = this.#pairs;
    const gains = this.#count(clock.nowMs());
    if (!step.known) return step;
    for (const service of split.services) {
      const series = this.#kept.get(service.name);
      if (series === undefined) continue;
      this.#addService(series, service, step, gains.get(service.name));
      const pairs = this.#pairs.get(service.name);
      // Where nothing was ever compared there is nothing to show, rather than zeros.
      if (pairs?.counts.some((count) => count > 0)) {
        series.addPairs(step.number, pairGain(pairsBefore.get(service.name) ?? null, pairs));
      }
    }
    return step;
  }

  /** Wall clock at the end of a step. */
  endOf(step: number): number {
    return this.#clock.endOf(step);
  }

  /** What a version was sent within the last ten seconds; null: nothing is known yet. */
  lately(service: string, version: string): Gain | null {
    return this.#recent.get(service)?.get(version)?.gain() ?? null;
  }

  view({ name, versions }: Service, tier: TierName): TimelineView {
    const { length, every } = TIERS[tier];
    const stepMs = every * STEP_MS;
    const series = this.#kept.get(name);
    if (series === undefined) {
      return {
        service: name,
        kept: false,
        stepMs,
        atMs: [],
        versions: [],
        pairs: { agree: [], disagree: [] },
      };
    }
    // The newest that is over.
    const to = Math.floor((this.#clock.number + 1) / every) - 1;
    const from = Math.max(Math.floor(series.first / every), to - length + 1);
    const atMs: number[] = [];
    for (let step = from; step <= to; step++) atMs.push(this.#clock.endOf((step + 1) * every - 1));
    const names = versions.map((version) => version.name);
    return { service: name, kept: true, stepMs, atMs, ...series.columns(tier, from, to, names) };
  }

  /** The newest step; null: no history is kept, or none has ended. */
  point({ name, versions }: Service): TimelinePoint | null {
    const series = this.#kept.get(name);
    const step = this.#clock.number;
    if (series === undefined || step < 0) return null;
    const names = versions.map((version) => version.name);
    return { service: name, atMs: this.#clock.endOf(step), ...series.point(step, names) };
  }

  #addService(
    series: ServiceSeries,
    service: Service,
    step: Step,
    gains: ReadonlyMap<string, Gain> | undefined,
  ): void {
    for (const [index, { name }] of service.versions.entries()) {
      const gain = gains?.get(name) ?? new Gain();
      gain.spanMs = step.spanMs;
      const weight = weightBpOf(service.shares, service.stable, index) / 100;
      series.add(name, step.number, gain, weight);
    }
  }

  /** Remembers the counters as they are now; what was gained of the versions that a history is kept of. */
  #count(nowMs: number): Map<string, Map<string, Gain>> {
    const gains = new Map<string, Map<string, Gain>>();
    this.#deps.totals.readTotals((service, version, totals) => {
      const recent = this.#recent.get(service)?.get(version) ?? this.#beginRecent(service, version);
      if (this.#kept.has(service)) put(gains, service, version, gainOf(recent.last, totals));
      recent.push(nowMs, totals);
    });
    this.#forgetUnseen(nowMs);
    this.#countAnswers(gains);
    return gains;
  }

  #beginRecent(service: string, version: string): Recent {
    const recent = new Recent();
    put(this.#recent, service, version, recent);
    return recent;
  }

  /** What is no longer counted at all. */
  #forgetUnseen(nowMs: number): void {
    for (const [service, versions] of this.#recent) {
      for (const [version, recent] of versions) if (recent.lastMs !== nowMs) versions.delete(version);
      if (versions.size === 0) this.#recent.delete(service);
    }
  }

  #countAnswers(gains: ReadonlyMap<string, ReadonlyMap<string, Gain>>): void {
    const { answers } = this.#deps;
    const told = answers.answers();
    for (const [service, versions] of gains) {
      for (const [version, gain] of versions) {
        const after = told.get(service)?.get(version);
        if (after === undefined) continue;
        addAnswers(gain, this.#answers.get(service)?.get(version) ?? null, after);
      }
    }
    this.#answers = told;
    this.#pairs = new Map(answers.pairs().map((pair) => [pair.service, pair]));
  }

  /** Whose history is kept under this Split. */
  #select(split: Split, step: number): void {
    this.#selectedFor = split;
    const wanted = selectServices(split.services, new Set(this.#deps.watched()));
    for (const { name } of split.services) {
      if (!wanted.has(name)) this.#kept.delete(name);
      else if (!this.#kept.has(name)) this.#kept.set(name, new ServiceSeries(step));
    }
    this.#forgetFormer(split, step);
  }

  /** Versions that have left the config stay until they are too old, or others need their room; the oldest go first. */
  #forgetFormer(split: Split, step: number): void {
    const configured = new Map(split.services.map(({ name, versions }) => [name, versions]));
    const former = [...this.#kept].flatMap(([service, series]) =>
      [...series.versions]
        .filter(([version]) => !configured.get(service)?.some(({ name }) => name === version))
        .map(([version, own]) => ({ version, series, last: own.last('1s') })),
    );
    former.sort((a, b) => a.last - b.last);
    const { length, every } = TIERS['15s'];
    let room = MAX_SERIES - MAX_VERSIONS - former.length;
    for (const { version, series, last } of former) {
      if (room >= 0 && last >= step - length * every) break;
      series.forget(version);
      room++;
    }
    for (const [service, series] of this.#kept) {
      if (!configured.has(service) && series.versions.size === 0) this.#kept.delete(service);
    }
  }
}

function gainOf(before: RunningTotals | null, after: RunningTotals): Gain {
  const gain = new Gain();
  gain.addTotals(before, after);
  return gain;
}

function put<T>(into: Map<string, Map<string, T>>, service: string, version: string, value: T): void {
  const versions = into.get(service) ?? new Map<string, T>();
  into.set(service, versions.set(version, value));
}
