import { saysHowItWent, type WindowCounts } from '../core/analysis/tally-read.ts';
import type { Service, Split } from '../core/model.ts';
import { bucketOf, newTally, requestSlot, SCALAR, statusOfKey, type Tally } from '../core/tally.ts';
import { ALL_STAGES, addCounters, addTally, mergeTallies, sameEdges } from './merge.ts';

/**
 * The hot counters. The functions below run once or twice a request: they only
 * increment numbers in typed arrays and allocate, format and sort nothing.
 */

/** `reason` is an index into ASSIGN_REASONS. */
export function beginRequest(t: Tally, reason: number): void {
  t.assigned[reason]!++;
  t.scalars[SCALAR.inFlight]!++;
}

/**
 * `method` is an index into METHODS. A negative `ttfbMs` says that no answer
 * began; a duration that is negative or no number counts as 0, so that one odd
 * reading cannot spoil the sum for good.
 */
export function endRequest(
  t: Tally,
  method: number,
  status: number,
  durationMs: number,
  ttfbMs: number,
): void {
  const { edgesMs, scalars } = t;
  const duration = Math.max(durationMs, 0) || 0;
  t.requests[requestSlot(t.slotKeys, method, status)]!++;
  t.duration[bucketOf(edgesMs, duration)]!++;
  scalars[SCALAR.durationSumMs]! += duration;
  if (ttfbMs >= 0) {
    t.ttfb[bucketOf(edgesMs, ttfbMs)]!++;
    scalars[SCALAR.ttfbSumMs]! += ttfbMs;
  }
  scalars[SCALAR.inFlight]!--;
}

/** `scalar` is one of SCALAR; counted before the request's `endRequest`. */
export function countScalar(t: Tally, scalar: number): void {
  t.scalars[scalar]!++;
}

/** The tally of the shadow version, here and in the two below. */
export function beginMirror(t: Tally): void {
  t.scalars[SCALAR.mirrorInFlight]!++;
}

/** `outcome` is an index into MIRROR_OUTCOMES. */
export function endMirror(t: Tally, outcome: number, durationMs: number): void {
  const duration = Math.max(durationMs, 0) || 0;
  t.mirrored[outcome]!++;
  t.mirrorDuration[bucketOf(t.edgesMs, duration)]!++;
  t.scalars[SCALAR.mirrorSumMs]! += duration;
  t.scalars[SCALAR.mirrorInFlight]!--;
}

/** For a copy that was never sent. */
export function dropMirror(t: Tally, outcome: number): void {
  t.mirrored[outcome]!++;
}

/** Stages of a version that stay apart, so that they can be judged. */
const KEPT_STAGES = 8;

/** What a version was sent since it was first opened; what says nothing of how it went is left out (`saysHowItWent`). */
export interface RunningTotals {
  readonly requests: number;
  /** Those of them that ended in a 5xx. */
  readonly errors: number;
  readonly edgesMs: Float64Array;
  /** By bucket, one slot more than there are edges; everything that was answered. */
  readonly durations: Float64Array;
}

interface MutableTotals extends RunningTotals {
  requests: number;
  errors: number;
  edgesMs: Float64Array;
}

/** What a version was sent since it was first opened, as the window of all time. */
export interface LifetimeTotals extends Omit<WindowCounts, 'spanMs'> {
  readonly service: string;
  readonly version: string;
}

/** Everything counted for one version of one service. */
interface Book {
  /** The stages no longer kept apart, added up; its edges are the ones in force. */
  folded: Tally;
  /** In the order they were last opened; all with the edges in force. */
  live: Tally[];
  /** Opened with other edges, for a Split that `retain` has not seen yet. */
  pending: Tally[];
  /** Of edges no longer in force and still in flight: their counters count, their histograms do not. */
  superseded: Tally[];
}

/**
 * Hands out the tallies that the data path counts in, and keeps their totals.
 *
 * What is held is bounded by the config: services and versions that leave it are
 * forgotten at the next `retain` (their series end, and begin at zero should they
 * come back), and of those that stay only the newest stages and those with
 * requests in flight are kept apart.
 */
export class Recorder {
  readonly #services = new Map<string, Map<string, Book>>();
  readonly #refused = new Map<string, number>();

  /**
   * One tally per version, index-aligned. The same service, stage and version give
   * the same tally while the edges stay. Other edges restart the version's
   * histograms, because counts between other bounds cannot be added up; they do so
   * at `retain`, so that a Split that is opened and then refused changes nothing.
   */
  open(service: Service): Tally[] {
    let books = this.#services.get(service.name);
    if (books === undefined) {
      books = new Map();
      this.#services.set(service.name, books);
    }
    const tallies: Tally[] = [];
    for (const { name } of service.versions) {
      let book = books.get(name);
      if (book === undefined) {
        book = newBook(newTally(service.name, ALL_STAGES, name, service.latencyEdgesMs));
        books.set(name, book);
      }
      tallies.push(openStage(book, service));
    }
    return tallies;
  }

  /** After a swap: forgets what the Split no longer names and folds old stages that are done. */
  retain(split: Split): void {
    const services = new Map(split.services.map((service) => [service.name, service]));
    for (const [name, books] of this.#services) {
      const service = services.get(name);
      if (service === undefined) {
        this.#services.delete(name);
        continue;
      }
      const versions = new Set(service.versions.map((version) => version.name));
      for (const [version, book] of books) {
        if (!versions.has(version)) {
          books.delete(version);
          continue;
        }
        settleEdges(book, service.latencyEdgesMs);
        fold(book);
      }
    }
  }

  /** A request that was refused before it had a version; `reason` is of a closed list. */
  countRefused(reason: string, count = 1): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + count);
  }

  /** By reason. */
  refused(): ReadonlyMap<string, number> {
    return this.#refused;
  }

  /** The stages kept apart, oldest first within a version. */
  tallies(): readonly Tally[] {
    return this.#books().flatMap((book) => book.live);
  }

  /** One tally per version, of `ALL_STAGES`: everything counted since the version was first opened; of some services, or of all. */
  lifetime(services?: ReadonlySet<string>): readonly Tally[] {
    return this.#books(services).map(totalOf);
  }

  /** The same as far as requests and durations go. */
  lifetimeTotals(services?: ReadonlySet<string>): readonly LifetimeTotals[] {
    return this.#books(services).map((book) => {
      const { service, version, duration } = book.folded;
      const { requests, errors, edgesMs, durations } = readInto(newTotals(duration.length), book);
      return { service, version, requests, errors, edgesMs, durationsByBucket: durations };
    });
  }

  /**
   * The same of every version, and cheap enough for every second.
   * What `take` is handed is overwritten for the next version: it copies what it keeps.
   */
  readTotals(take: (service: string, version: string, totals: RunningTotals) => void): void {
    let scratch = newTotals(0);
    for (const [service, books] of this.#services) {
      for (const [version, book] of books) {
        const buckets = book.folded.duration.length;
        if (scratch.durations.length !== buckets) scratch = newTotals(buckets);
        take(service, version, readInto(scratch, book));
      }
    }
  }

  #books(services?: ReadonlySet<string>): Book[] {
    const found = services === undefined ? this.#services.keys() : services;
    return [...found].flatMap((name) => [...(this.#services.get(name)?.values() ?? [])]);
  }
}

const NO_EDGES = new Float64Array(0);

function newBook(folded: Tally): Book {
  return { folded, live: [], pending: [], superseded: [] };
}

function openStage(book: Book, { name, stage, latencyEdgesMs }: Service): Tally {
  const { folded } = book;
  const list = sameEdges(folded.edgesMs, latencyEdgesMs) ? book.live : book.pending;
  const held = list.findIndex((each) => each.stage === stage && sameEdges(each.edgesMs, latencyEdgesMs));
  const tally =
    held < 0 ? newTally(name, stage, folded.version, latencyEdgesMs) : (list.splice(held, 1)[0] as Tally);
  list.push(tally);
  return tally;
}

function settleEdges(book: Book, edgesMs: readonly number[]): void {
  const { folded, live, pending } = book;
  if (!sameEdges(folded.edgesMs, edgesMs)) {
    book.folded = newTally(folded.service, ALL_STAGES, folded.version, edgesMs);
    addCounters(book.folded, folded);
    book.superseded.push(...live);
    book.live = pending.filter((tally) => sameEdges(tally.edgesMs, edgesMs));
  }
  book.superseded.push(...pending.filter((tally) => !sameEdges(tally.edgesMs, edgesMs)));
  book.pending = [];
}

/** A tally with something in flight will change yet, and whoever counts in it holds that very object. */
function fold(book: Book): void {
  const { folded, live, superseded } = book;
  const firstKept = live.length - KEPT_STAGES;
  book.live = live.filter((tally, i) => {
    if (i >= firstKept || isBusy(tally)) return true;
    addTally(folded, tally);
    return false;
  });
  book.superseded = superseded.filter((tally) => {
    if (isBusy(tally)) return true;
    addCounters(folded, tally);
    return false;
  });
}

function totalOf(book: Book): Tally {
  const total = mergeTallies([book.folded]);
  for (const tally of book.live) addTally(total, tally);
  for (const tally of [...book.superseded, ...book.pending]) addCounters(total, tally);
  return total;
}

function newTotals(buckets: number): MutableTotals {
  return { requests: 0, errors: 0, edgesMs: NO_EDGES, durations: new Float64Array(buckets) };
}

function readInto(totals: MutableTotals, book: Book): RunningTotals {
  const { folded, live, pending, superseded } = book;
  totals.requests = 0;
  totals.errors = 0;
  totals.edgesMs = folded.edgesMs;
  for (const tally of live) addRequests(totals, tally);
  for (const tally of superseded) addRequests(totals, tally);
  for (const tally of pending) addRequests(totals, tally);
  addRequests(totals, folded);
  const { durations } = totals;
  durations.set(folded.duration);
  for (const { duration } of live) {
    for (let i = 0; i < duration.length; i++) durations[i]! += duration[i] as number;
  }
  return totals;
}

function addRequests(sums: MutableTotals, { slotKeys, requests }: Tally): void {
  for (let slot = 0; slot < requests.length; slot++) {
    const key = slotKeys[slot] as number;
    // Slots are taken in order.
    if (key === 0) break;
    const count = requests[slot] as number;
    const status = statusOfKey(key);
    if (!saysHowItWent(status)) continue;
    sums.requests += count;
    if (status >= 500) sums.errors += count;
  }
}

function isBusy({ scalars }: Tally): boolean {
  return scalars[SCALAR.inFlight] !== 0 || scalars[SCALAR.mirrorInFlight] !== 0;
}
