import { SlowWatch } from './bursts.ts';
import type { Law, Random } from './random.ts';
import { type ArmCounts, EDGES_MS, type Minute, type Traffic } from './traffic.ts';

export interface Stalls {
  readonly ratePerS: number;
  readonly latency: Law;
  processes(w: number): { readonly canary: number; readonly stable: number };
  /** Seconds between two stalls of a process, on average. */
  readonly canaryEveryS: number;
  readonly stableEveryS: number;
  readonly shortestS: number;
  readonly longestS: number;
}

export class StallTraffic implements Traffic {
  readonly #random: Random;
  readonly #stalls: Stalls;
  readonly #slow = new SlowWatch();
  #w = 0;

  constructor(random: Random, stalls: Stalls) {
    this.#random = random;
    this.#stalls = stalls;
  }

  stage(w: number): void {
    this.#w = w;
    this.#slow.stage();
  }

  advance(atS: number, seconds: number, into: Minute): void {
    for (let i = 0; i < seconds; i++) {
      this.#second(into);
      this.#slow.look(atS + i + 1, into);
    }
  }

  #second(into: Minute): void {
    const { ratePerS, processes, canaryEveryS, stableEveryS } = this.#stalls;
    const n = processes(this.#w);
    into.spanMs += 1000;
    this.#arm(into.canary, ratePerS * this.#w, n.canary, canaryEveryS);
    this.#arm(into.stable, ratePerS * (1 - this.#w), n.stable, stableEveryS);
  }

  #arm(arm: ArmCounts, perS: number, processes: number, everyS: number): void {
    const { latency, shortestS, longestS } = this.#stalls;
    const requests = this.#random.poisson(perS);
    const stalls = this.#random.poisson(processes / everyS);
    let stalled = 0;
    for (let i = 0; i < stalls; i++) {
      stalled += (shortestS + this.#random.uniform() * (longestS - shortestS)) / processes;
    }
    const late = this.#random.binomial(requests, Math.min(1, stalled));
    arm.requests += requests;
    arm.keys += requests;
    latency.scatter(this.#random, requests - late, arm.latency);
    arm.latency[EDGES_MS.length - 1]! += late;
  }
}
