import { Law, type Random } from './random.ts';
import type { ArmCounts, Minute, Traffic } from './traffic.ts';

/**
 * Users who stay with a version, some of whom ask far more than others, and a few of whom nearly every request
 * fails whichever version answers. Requests of one user fail together, so counting requests sees differences
 * between equal versions; counting each user's first failure does not.
 */
export interface Crowd {
  /** Requests a second of all users together. */
  readonly ratePerS: number;
  readonly users: number;
  /** Pareto tail of how much users ask; below 2 the variance is infinite. */
  readonly tail: number;
  /** Share of users whose requests fail, and how often theirs do. */
  readonly troubled: number;
  readonly troubledErrorRate: number;
}

export class StickyTraffic implements Traffic {
  readonly #random: Random;
  readonly #crowd: Crowd;
  /** By user: requests a second, and the point of [0,1) that decides the version. */
  readonly #rates: Float64Array;
  readonly #buckets: Float64Array;
  readonly #troubled: readonly number[];
  #canary: Group;
  #stable: Group;
  #second = 0;

  constructor(random: Random, crowd: Crowd) {
    this.#random = random;
    this.#crowd = crowd;
    const appetite = Float64Array.from({ length: crowd.users }, () => random.uniform() ** (-1 / crowd.tail));
    const total = appetite.reduce((sum, one) => sum + one, 0);
    this.#rates = appetite.map((one) => (one / total) * crowd.ratePerS);
    this.#buckets = Float64Array.from({ length: crowd.users }, () => random.uniform());
    this.#troubled = Array.from({ length: crowd.users }, (_, user) => user).filter(
      () => random.uniform() < crowd.troubled,
    );
    this.#canary = this.#group(() => false);
    this.#stable = this.#canary;
  }

  stage(w: number): void {
    const isCanary = (user: number) => (this.#buckets[user] as number) < w;
    this.#canary = this.#group(isCanary);
    this.#stable = this.#group((user) => !isCanary(user));
    this.#second = 0;
  }

  advance(_atS: number, seconds: number, into: Minute): void {
    into.spanMs += seconds * 1000;
    this.#ask(seconds, this.#canary, into.canary);
    this.#ask(seconds, this.#stable, into.stable);
    this.#second += seconds;
  }

  #ask(seconds: number, group: Group, arm: ArmCounts): void {
    arm.requests += this.#random.poisson(group.ratePerS * seconds);
    for (let i = 0; i < seconds; i++) arm.keys += group.arrivals.get(this.#second + i) ?? 0;
    if (group.choose === null) return;
    const errors = this.#random.poisson(group.troubledPerS * seconds * this.#crowd.troubledErrorRate);
    for (let i = 0; i < errors; i++) {
      const user = group.choose.draw(this.#random);
      // A failure is a request; which of the second's it was does not matter.
      arm.errors++;
      if (group.failed.has(user)) continue;
      group.failed.add(user);
      arm.firstErrors++;
    }
    arm.requests = Math.max(arm.requests, arm.errors);
  }

  #group(member: (user: number) => boolean): Group {
    const troubled = this.#troubled.filter(member);
    const rates = troubled.map((user) => this.#rates[user] as number);
    const arrivals = new Map<number, number>();
    let ratePerS = 0;
    this.#rates.forEach((rate, user) => {
      if (!member(user)) return;
      ratePerS += rate;
      const first = Math.floor(this.#random.exponential() / rate);
      arrivals.set(first, (arrivals.get(first) ?? 0) + 1);
    });
    return {
      ratePerS,
      troubledPerS: rates.reduce((sum, one) => sum + one, 0),
      choose: rates.length > 0 ? new Law(rates) : null,
      arrivals,
      failed: new Set(),
    };
  }
}

/** The users of one version in one stage. */
interface Group {
  readonly ratePerS: number;
  readonly troubledPerS: number;
  /** Which of the troubled users a failure belongs to; null: there are none. */
  readonly choose: Law | null;
  /** Users by the second in which they first ask. */
  readonly arrivals: ReadonlyMap<number, number>;
  readonly failed: Set<number>;
}
