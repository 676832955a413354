import { setTimeout as delay } from 'node:timers/promises';
import { differenceOf, resumed, type SavedJudge } from '../../core/judge/saved.ts';
import type { Service, Split } from '../../core/model.ts';
import {
  type AsideReason,
  type Clock,
  type Log,
  type SpareStore,
  StoreConflict,
  type Stored,
} from '../../ports.ts';
import { loadPatiently } from '../patient.ts';
import type { Bench } from './bench.ts';
import type { Board } from './board.ts';
import type { Experiments } from './experiments.ts';
import type { Feedback } from './feedback.ts';
import { aboutOf, hasCounts, isSame, type SavedBench, savedBench } from './saved-bench.ts';

/** How often it is looked which evidence has to be saved. */
const TICK_MS = 100;
/** Services looked at in one tick: so many at least, or all of them in so many ticks. */
const LEAST = 4;
const TURNS = 40;
/** Between two saves of one service's evidence; so much may be lost with the process. */
const SAVE_MS = 5_000;
/** The same where a stage has just ended. */
const SAVE_SOON_MS = 1_000;
/**
 * Another process saves the record: if it has not for so long, it is taken to be gone. Doubled each time it was not,
 * so that two that live on one folder, which may be silent for lack of requests, soon leave each other alone.
 */
const YIELD_MS = 60_000;
const YIELD_MOST_MS = 3_600_000;
/** Saves under way: they share the threads and the disk with the states of rollouts, which come first. */
const AT_ONCE = 2;
/** The same when the process ends and nobody waits. */
const AT_ONCE_LAST = 16;
/** A save that takes longer is worth a warning. */
const SLOW_MS = 10_000;
/** Between two warnings, for all services together: a folder that may not be written to stays so for long. */
const WARN_MS = 600_000;

export interface KeepDeps {
  readonly store: SpareStore<SavedJudge>;
  readonly board: Pick<Board, 'bench' | 'collect'>;
  readonly experiments: Pick<Experiments, 'course' | 'recall'>;
  readonly feedback: Pick<Feedback, 'counted' | 'forget' | 'recall'>;
  /** Those that are judged. */
  services(): readonly string[];
  split(): Split;
  /** Null: the service has no rollout. */
  rollout(service: string): KeptRollout | null;
  readonly clock: Clock;
  readonly log: Log;
}

export interface KeptRollout {
  readonly beganWallMs: number;
  /** It has ended: its evidence has done its work. */
  readonly isOver: boolean;
  /** Its state cannot be used, so nobody knows what the evidence is about. */
  readonly isBlocked: boolean;
}

/** One service's record. */
interface Entry {
  /** In the store, 0: none; null: it is not known. */
  revision: number | null;
  /** From the process before, until it is asked for. */
  loaded: SavedJudge | null;
  /** What is stored was not gone on with and moves aside with the first save; null: it may be saved over. */
  aside: AsideReason | null;
  /** Another process saves it, `revision` last. */
  isForeign: boolean;
  /** How long that one may be silent. */
  yieldMs: number;
  isBusy: boolean;
  triedAtMs: number;
  stage: number;
  saved: Saved | null;
}

/** What was saved last, so that only what changed is saved. */
interface Saved {
  readonly bench: SavedBench;
  readonly course: string;
}

/**
 * Keeps the evidence over restarts: reads it at the start and saves it every few seconds, beside everything else.
 * What cannot be saved costs a warning and nothing more, and what was counted after the last save is lost with the
 * process: fewer counts, none of them wrong.
 */
export class Keep {
  readonly #deps: KeepDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | null = null;
  #warnedAtMs = Number.NEGATIVE_INFINITY;
  /** The service of the last warning; null: it has been saved since. */
  #warnedOf: string | null = null;

  constructor(deps: KeepDeps) {
    this.#deps = deps;
  }

  /** Reads what is kept of these services; before anybody judges. Never rejects. */
  async load(services: readonly string[]): Promise<void> {
    await Promise.all(services.map((name) => this.#load(name)));
  }

  /** For the board: what an earlier process had counted of the same. */
  recall(service: Service, bench: Bench, epoch: string): SavedJudge | null {
    const { name } = service;
    const entry = this.#entries.get(name);
    const loaded = entry?.loaded ?? null;
    if (entry === undefined || loaded === null) return null;
    entry.loaded = null;
    const { rollout, experiments, feedback, log } = this.#deps;
    const about = aboutOf(bench, service, epoch, rollout(name)?.beganWallMs ?? null);
    const difference = differenceOf(loaded.about, about);
    if (difference !== null) {
      log.info({ service: name }, `evidence of before the restart is not gone on with: ${difference}`);
      return null;
    }
    const saved = resumed(loaded);
    if (saved.course !== null) experiments.recall(name, saved.course);
    feedback.recall(name, saved.counted);
    log.info(
      { service: name, requests: requestsOf(saved) },
      'evidence of before the restart is gone on with',
    );
    return saved;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.tick(), TICK_MS);
    this.#timer.unref();
  }

  /** Saves what is due; `start` calls it all the time. */
  tick(): void {
    const nowMs = this.#deps.clock.nowMs();
    const names = this.#deps.services();
    this.#dropOthers(names);
    // Whoever judges nothing need not go through a thousand services for it.
    if (names.length === 0) return;
    const services = new Map(this.#deps.split().services.map((service) => [service.name, service]));
    const due: [Entry, Service][] = [];
    for (const name of names) {
      const entry = this.#entryOf(name);
      const service = services.get(name);
      const sinceMs = nowMs - entry.triedAtMs;
      if (entry.isBusy && sinceMs >= SLOW_MS) this.#warn(name, 'the disk does not answer');
      if (service === undefined || entry.isBusy) continue;
      if (sinceMs >= waitMsOf(entry, service)) due.push([entry, service]);
    }
    due.sort(([a], [b]) => a.triedAtMs - b.triedAtMs);
    const most = Math.max(LEAST, Math.ceil(names.length / TURNS));
    for (const [entry, service] of due.slice(0, most)) {
      if (this.#running.size >= AT_ONCE) break;
      this.#keep(entry, service);
    }
  }

  /** Saves everything, with what was counted since the last look; takes no longer than `graceMs`. */
  async close(graceMs: number): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#deps.board.collect();
    const waiting = new AbortController();
    const late = delay(graceMs, 'late', { signal: waiting.signal }).catch(() => undefined);
    if ((await Promise.race([this.#saveAll(), late])) === 'late') {
      this.#deps.log.warn(
        {},
        `evidence could not be saved within ${graceMs} ms; what was saved before counts`,
      );
    }
    waiting.abort();
  }

  async #saveAll(): Promise<void> {
    await Promise.all(this.#running);
    const wanted = new Set(this.#deps.services());
    for (const service of this.#deps.split().services) {
      if (!wanted.has(service.name)) continue;
      const entry = this.#entryOf(service.name);
      if (!entry.isForeign) this.#keep(entry, service);
      if (this.#running.size >= AT_ONCE_LAST) await Promise.race(this.#running);
    }
    await Promise.all(this.#running);
  }

  #keep(entry: Entry, service: Service): void {
    const { board, experiments, rollout, clock } = this.#deps;
    const { name } = service;
    entry.triedAtMs = clock.nowMs();
    entry.stage = service.stage;
    const about = rollout(name);
    if (about?.isBlocked === true) return;
    if (about?.isOver === true) {
      this.#remove(entry, name);
      return;
    }
    const bench = board.bench(name);
    if (bench === null || bench.epoch === null) return;
    if (entry.saved === null && !hasCounts(bench)) return;
    const saved = savedBench(bench, aboutOf(bench, service, bench.epoch, about?.beganWallMs ?? null));
    const course = experiments.course(name);
    const text = JSON.stringify({ ...course, elapsedMs: 0 });
    if (entry.saved !== null && entry.saved.course === text && isSame(entry.saved.bench, saved)) return;
    const counted = this.#deps.feedback.counted(name);
    this.#run(entry, name, async () => {
      if (!(await this.#save(entry, name, { ...saved, course, counted }))) return;
      entry.saved = { bench: saved, course: text };
      if (this.#warnedOf === name) this.#tellBetter(name);
    });
  }

  /** False: it is another process's. */
  async #save(entry: Entry, name: string, saved: SavedJudge): Promise<boolean> {
    const { store } = this.#deps;
    if (entry.revision === null && entry.aside === null) await this.#relook(entry, name);
    if (entry.aside !== null) {
      await store.setAside(name, entry.aside);
      entry.aside = null;
      entry.revision = 0;
    }
    try {
      entry.revision = await store.save(name, saved, entry.revision ?? 0);
    } catch (error) {
      if (!(error instanceof StoreConflict)) {
        // Broken since it was read or saved: no attempt would ever succeed.
        if ((await store.load(name)).kind === 'damaged') entry.aside = 'damaged';
        throw error;
      }
      if (error.stored > 0) {
        this.#yield(entry, name, error);
        return false;
      }
      // Somebody has removed it.
      entry.revision = await store.save(name, saved, 0);
    }
    if (entry.isForeign) this.#takeOver(entry, name);
    return true;
  }

  /** Waits for the other process to end: the next attempt fails too, if that one has saved by then. */
  #yield(entry: Entry, name: string, { message, stored }: StoreConflict): void {
    entry.revision = stored;
    if (entry.isForeign) return;
    entry.isForeign = true;
    this.#deps.log.warn(
      { service: name },
      `evidence is not saved while another process does: ${message}; two gateways need two state folders`,
    );
  }

  #takeOver(entry: Entry, name: string): void {
    entry.isForeign = false;
    const seconds = entry.yieldMs / 1_000;
    entry.yieldMs = Math.min(2 * entry.yieldMs, YIELD_MOST_MS);
    this.#deps.log.info(
      { service: name },
      `evidence is saved again: another process had, and has not for ${seconds} s`,
    );
  }

  /** Throws where that cannot be told now: what may be there is not saved over. */
  async #relook(entry: Entry, name: string): Promise<void> {
    const { store } = this.#deps;
    const stored = await this.#look(entry, name, () => store.load(name));
    if (stored.kind === 'unreadable') throw new Error(`${stored.where} ${stored.reason}`);
  }

  #remove(entry: Entry, name: string): void {
    if (entry.revision === 0 || entry.isForeign) return;
    this.#run(entry, name, async () => {
      await this.#deps.store.remove(name);
      entry.revision = 0;
      entry.aside = null;
      entry.loaded = null;
      entry.saved = null;
    });
  }

  /** Of services that are no longer judged. */
  #dropOthers(names: readonly string[]): void {
    if (this.#entries.size <= names.length) return;
    const wanted = new Set(names);
    for (const [name, entry] of this.#entries) {
      if (wanted.has(name) || entry.isBusy) continue;
      this.#entries.delete(name);
      this.#deps.feedback.forget(name);
      this.#remove(entry, name);
    }
  }

  #run(entry: Entry, name: string, work: () => Promise<void>): void {
    entry.isBusy = true;
    const running = work()
      .catch((error: unknown) => this.#warn(name, error instanceof Error ? error.message : String(error)))
      .finally(() => {
        entry.isBusy = false;
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  async #load(name: string): Promise<void> {
    const { store, log } = this.#deps;
    const entry = this.#entryOf(name);
    const stored = await this.#look(entry, name, () => loadPatiently(store, name));
    switch (stored.kind) {
      case 'found':
        entry.loaded = stored.state;
        return;
      case 'damaged':
        log.warn(
          { service: name },
          `evidence of before the restart cannot be used: ${stored.where} ${stored.reason}`,
        );
        return;
      case 'unreadable':
        // By the time it can be read, what is counted has begun anew.
        entry.aside = 'unread';
        log.warn(
          { service: name },
          `evidence of before the restart is not gone on with, and is set aside: ${stored.where} ${stored.reason}`,
        );
    }
  }

  /** Learns what is stored; never rejects. */
  async #look(
    entry: Entry,
    name: string,
    load: () => Promise<Stored<SavedJudge>>,
  ): Promise<Stored<SavedJudge>> {
    const stored = await load().catch(
      (error: unknown) => ({ kind: 'unreadable', where: name, reason: String(error) }) as const,
    );
    entry.aside = stored.kind === 'damaged' ? 'damaged' : null;
    entry.revision = stored.kind === 'found' ? stored.revision : stored.kind === 'none' ? 0 : null;
    return stored;
  }

  #entryOf(name: string): Entry {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = {
        revision: null,
        loaded: null,
        aside: null,
        isForeign: false,
        yieldMs: YIELD_MS,
        isBusy: false,
        triedAtMs: this.#deps.clock.nowMs(),
        stage: -1,
        saved: null,
      };
      this.#entries.set(name, entry);
    }
    return entry;
  }

  #tellBetter(service: string): void {
    this.#warnedOf = null;
    this.#deps.log.info({ service }, 'evidence can be saved again');
  }

  #warn(service: string, reason: string): undefined {
    const nowMs = this.#deps.clock.nowMs();
    if (nowMs - this.#warnedAtMs < WARN_MS) return;
    this.#warnedAtMs = nowMs;
    this.#warnedOf = service;
    this.#deps.log.warn({ service }, `evidence cannot be saved, a restart would lose what is new: ${reason}`);
  }
}

function waitMsOf({ isForeign, yieldMs, stage }: Entry, service: Service): number {
  if (isForeign) return yieldMs;
  return service.stage === stage ? SAVE_MS : SAVE_SOON_MS;
}

function requestsOf({ sides }: SavedJudge): number {
  const [first] = sides;
  return (first?.evidence.slices ?? []).reduce(
    (sum, { canary, stable }) => sum + canary.requests + stable.requests,
    0,
  );
}
