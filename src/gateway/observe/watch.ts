import type { ObserveSpec } from '../../core/observe/spec.ts';
import type { Clock } from '../../ports.ts';
import type { OpenArms } from '../../tally/arms.ts';
import { Allowance } from './allowance.ts';
import { KeptPairs } from './kept.ts';
import type { ReadQueue } from './queue.ts';

/** What a service's observation has used up and kept, over all Splits. */
export class WatchState {
  readonly samples = new Allowance();
  readonly cpuMs = new Allowance();
  readonly kept = new KeptPairs();
}

/** How the answers of one service are observed under one Split. */
export class Watch {
  readonly spec: ObserveSpec;
  readonly arms: OpenArms;
  readonly queue: ReadQueue;
  readonly clock: Clock;
  readonly state: WatchState;
  /** By version index. */
  readonly versions: readonly string[];
  readonly shadow: string;

  constructor(facts: Omit<Watch, 'admit' | 'mayRead' | 'charge'>) {
    this.spec = facts.spec;
    this.arms = facts.arms;
    this.queue = facts.queue;
    this.clock = facts.clock;
    this.state = facts.state;
    this.versions = facts.versions;
    this.shadow = facts.shadow;
  }

  /** Takes a sample out of this second's; false: it is to be shed. Knows nothing of the version, so that none is read more often. */
  admit(nowMs: number): boolean {
    if (this.queue.memory.full || !this.mayRead(nowMs)) return false;
    const { maxPerSecond } = this.spec;
    if (this.state.samples.left(maxPerSecond, nowMs, Math.max(maxPerSecond, 1)) < 1) return false;
    this.state.samples.spend(1);
    return true;
  }

  mayRead(nowMs: number): boolean {
    return this.state.cpuMs.left(this.spec.cpuShare * 1_000, nowMs) > 0;
  }

  charge(ms: number): void {
    this.state.cpuMs.spend(ms);
  }
}
