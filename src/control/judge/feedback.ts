import { setImmediate as breathe } from 'node:timers/promises';
import type { Config } from '../../config/load.ts';
import type { CountedBlock } from '../../core/judge/saved.ts';
import type { Split } from '../../core/model.ts';
import { type FeedbackOutcome, type KpiAdd, Ledger } from '../../kpi/ledger.ts';
import type { Clock, PatternCompiler } from '../../ports.ts';
import type { FeedbackReading } from '../../tally/samples.ts';
import type { Board } from './board.ts';
import { keyFinder } from './by-key.ts';

/** What became of a batch: every item is one of these. */
export interface FeedbackSummary {
  readonly accepted: number;
  /** Counted before. */
  readonly duplicate: number;
  /** Not signed by us. */
  readonly forged: number;
  readonly expired: number;
  readonly malformed: number;
  /** A KPI that no gate and no experiment asks for, a user whose version cannot be told, or versions that are not compared here now. */
  readonly unknown: number;
}

export type FeedbackRefusal = Exclude<keyof FeedbackSummary, 'accepted'>;

/** Since the process began; KPIs of compared versions that the Split names. */
export interface FeedbackCounts extends FeedbackReading {
  readonly refused: Readonly<Record<FeedbackRefusal, number>>;
}

export interface FeedbackDeps {
  config(): Pick<Config, 'judges' | 'kpi'>;
  split(): Split;
  readonly board: Pick<Board, 'addKpi' | 'placeOf'>;
  readonly clock: Clock;
  readonly compilePattern: PatternCompiler;
}

/** Items checked before users get their turn again; signatures cost most. */
const TURN = 100;

const COLUMN: Record<FeedbackOutcome, keyof FeedbackSummary> = {
  accepted: 'accepted',
  duplicate: 'duplicate',
  forged: 'forged',
  expired: 'expired',
  malformed: 'malformed',
  unknown_kpi: 'unknown',
  unresolved: 'unknown',
};

/** Takes what became of predictions, each once, and gives it to the judge. */
export class Feedback {
  readonly #deps: FeedbackDeps;
  readonly #ledger: Ledger;
  /** By service, version and KPI. */
  readonly #events = new Map<string, number>();
  readonly #refused = { duplicate: 0, forged: 0, expired: 0, malformed: 0, unknown: 0 };

  constructor(deps: FeedbackDeps) {
    this.#deps = deps;
    this.#ledger = new Ledger(() => {
      const { judges, kpi } = deps.config();
      const asked = askedOf(judges);
      const finders = new Map<string, ReturnType<typeof keyFinder> | null>();
      return {
        secret: kpi.secret,
        expiresS: kpi.expiresMs / 1_000,
        knows: (service, name) => asked.get(service)?.has(name) ?? false,
        placeOf: ({ service, version, terms, atS }) => deps.board.placeOf(service, version, terms, atS),
        resolve: (service, key) => {
          let find = finders.get(service);
          if (find === undefined) {
            find = this.#finderFor(service);
            finders.set(service, find);
          }
          const found = find?.(key) ?? null;
          const place = found === null ? null : deps.board.placeOf(service, found.version, found.terms, null);
          return found === null || place === null ? null : { ...found, place };
        },
      };
    });
  }

  /** Of thousands of items a few at a time; requests go on meanwhile. */
  async take(items: readonly unknown[]): Promise<FeedbackSummary> {
    const sum = { accepted: 0, duplicate: 0, forged: 0, expired: 0, malformed: 0, unknown: 0 };
    for (let from = 0; from < items.length; from += TURN) {
      if (from > 0) await breathe();
      this.#takeSome(items.slice(from, from + TURN), sum);
    }
    return sum;
  }

  counts(): FeedbackCounts {
    const { judges } = this.#deps.config();
    const asked = askedOf(judges);
    const kpis = judges.flatMap(({ service, experiment }) => {
      const versions = comparedIn(this.#deps.split(), service, experiment?.variants ?? []);
      return versions.flatMap((version) =>
        [...(asked.get(service) ?? [])].map((kpi) => {
          const count = this.#events.get(keyOf(service, version, kpi)) ?? 0;
          return { app: service, version, kpi, count };
        }),
      );
    });
    return { kpis, refused: { ...this.#refused }, forgotten: { ...this.#ledger.forgotten() } };
  }

  /** What was counted of a service, for a process after this one to `recall`. */
  counted(service: string): readonly CountedBlock[] {
    return this.#ledger.counted(service);
  }

  recall(service: string, counted: readonly CountedBlock[]): void {
    this.#ledger.recall(service, counted);
  }

  /** Of a service that is no longer judged. */
  forget(service: string): void {
    this.#ledger.forget(service);
  }

  /** As the data path tells of its own: `SERVICE PLACE: what`. */
  capped(): readonly string[] {
    return this.#ledger
      .capped()
      .map(({ service, place, kpi }) => `${service} ${place}: more users with ${kpi} than can be told apart`);
  }

  #takeSome(items: readonly unknown[], sum: Record<keyof FeedbackSummary, number>): void {
    const { adds, counts } = this.#ledger.take(items, Math.floor(this.#deps.clock.wallMs() / 1_000));
    for (const outcome of Object.keys(counts) as FeedbackOutcome[]) {
      const column = COLUMN[outcome];
      sum[column] += counts[outcome];
      if (column !== 'accepted') this.#refused[column] += counts[outcome];
    }
    const { board } = this.#deps;
    let lost = 0;
    for (const group of grouped(adds)) {
      const { service, version, terms, kpi, events, firsts } = group;
      if (board.addKpi(service, version, terms, kpi, { events, firsts })) {
        // Bounded, for whatever the config did not name was refused before.
        const key = keyOf(service, version, kpi);
        this.#events.set(key, (this.#events.get(key) ?? 0) + events);
      } else lost += group.items;
    }
    sum.accepted -= lost;
    sum.unknown += lost;
    this.#refused.unknown += lost;
  }

  #finderFor(name: string): ReturnType<typeof keyFinder> | null {
    const split = this.#deps.split();
    const service = split.services.find((one) => one.name === name);
    return service === undefined ? null : keyFinder(split, service, this.#deps.compilePattern);
  }
}

interface Group extends Pick<KpiAdd, 'service' | 'version' | 'terms' | 'kpi'> {
  items: number;
  events: number;
  firsts: number;
}

/** What goes to one place of the evidence goes there at once. */
function grouped(adds: readonly KpiAdd[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const { service, version, terms, kpi, event, first } of adds) {
    const key = JSON.stringify([service, version, terms, kpi]);
    let group = groups.get(key);
    if (group === undefined) {
      group = { service, version, terms, kpi, items: 0, events: 0, firsts: 0 };
      groups.set(key, group);
    }
    group.items++;
    if (event) group.events++;
    if (first) group.firsts++;
  }
  return [...groups.values()];
}

function keyOf(...names: readonly string[]): string {
  return JSON.stringify(names);
}

/** Versions that feedback is counted for. */
function comparedIn(split: Split, name: string, variants: readonly string[]): readonly string[] {
  const service = split.services.find((one) => one.name === name);
  const judged = service?.judged ?? null;
  if (service === undefined || judged === null) return [];
  const isCompared = (version: string, index: number) =>
    index === service.stable || index === judged.canary || variants.includes(version);
  return service.versions.map((version) => version.name).filter(isCompared);
}

/** KPIs by service that a gate or an experiment asks for. */
function askedOf(judges: Config['judges']): Map<string, Set<string>> {
  return new Map(
    judges.map(({ service, plan, experiment }) => {
      const names = plan.gates.flatMap((gate) => (gate.kind === 'kpi' ? [gate.kpi] : []));
      return [service, new Set([...names, ...(experiment === null ? [] : [experiment.kpi])])];
    }),
  );
}
