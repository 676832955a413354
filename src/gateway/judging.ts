import { termsOf } from '../core/comparison.ts';
import type { Service, Split } from '../core/model.ts';
import { fnv1a32 } from '../core/split/hash.ts';
import type { Clock, Log } from '../ports.ts';
import { type ArmBook, countOutcome, type OpenArms } from '../tally/arms.ts';
import { isWebSocket } from './downstream.ts';
import { CLIENT_GONE } from './errors.ts';
import type { Exchange } from './exchange.ts';
import type { Disagreement } from './observe/kept.ts';
import { ReadQueue } from './observe/queue.ts';
import { Watch, WatchState } from './observe/watch.ts';

/** What a service under judgement counts in, and how its answers are observed. */
export interface JudgeRuntime {
  readonly arms: OpenArms;
  /** What prediction ids say of who is compared. */
  readonly terms: string;
  readonly watch: Watch | null;
}

/** Makes what requests need for the judge, and keeps what outlives a Split: counts, budgets, kept pairs. */
export class Judging {
  readonly #book: ArmBook;
  readonly #queue: ReadQueue;
  readonly #clock: Clock;
  readonly #states = new Map<string, WatchState>();

  constructor(book: ArmBook, clock: Clock, log: Log) {
    this.#book = book;
    this.#clock = clock;
    this.#queue = new ReadQueue(clock, log);
  }

  open(service: Service): JudgeRuntime | null {
    const arms = this.#book.open(service);
    return arms === null
      ? null
      : { arms, terms: termsOf(service) ?? '', watch: this.#watchOf(service, arms) };
  }

  #watchOf(service: Service, arms: OpenArms): Watch | null {
    const spec = arms.judged.observe;
    if (spec === null) return null;
    const state = this.#states.get(service.name) ?? new WatchState();
    this.#states.set(service.name, state);
    const versions = service.versions.map(({ name }) => name);
    const shadow = versions[arms.judged.canary] ?? '';
    return new Watch({ spec, arms, queue: this.#queue, clock: this.#clock, state, versions, shadow });
  }

  /** After a swap: forgets what the Split no longer names. */
  retain(split: Split): void {
    this.#book.retain(split);
    const specs = new Map(split.services.map(({ name, judged }) => [name, judged?.observe ?? null]));
    for (const [name, { kept }] of this.#states) {
      const spec = specs.get(name) ?? null;
      if (spec === null) this.#states.delete(name);
      else kept.bound(spec.pairs?.keep ?? 0);
    }
  }

  /** The newest pairs that did not agree, oldest first; [] where none are kept. */
  disagreements(service: string): readonly Disagreement[] {
    return this.#states.get(service)?.kept.list() ?? [];
  }
}

/** Whether a request is one of the group whose versions are compared. */
export function isCompared(x: Exchange): boolean {
  return x.assignment?.rule === x.runtime?.judge?.arms.judged.rule;
}

/** 32 bits, not those that the bucket comes from; -1 where there is no key. */
export function keyHashOf(key: string): number {
  return key === '' ? -1 : fnv1a32(key);
}

/**
 * Counts how a request's first attempt ended, when the request is over. A client
 * that left before that is in nothing; one that left while a failed attempt was
 * made good for it has seen a failure.
 */
export function countFirst(x: Exchange, { arms }: JudgeRuntime, status: number, nowMs: number): void {
  if (!isCompared(x) || isWebSocket(x.req)) return;
  const failed = x.firstFailureMs >= 0;
  if (!failed && status === CLIENT_GONE) return;
  const { version, key } = x.assignment as NonNullable<Exchange['assignment']>;
  const endMs = failed ? x.firstFailureMs : nowMs;
  countOutcome(arms, version, keyHashOf(key), failed || status >= 500, endMs - x.startMs);
}
