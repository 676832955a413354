import { type BurstCount, BurstMeter } from '../../src/core/judge/bursts.ts';
import { type ArmCounts, type Minute, slower, slowerThanFrozen } from './traffic.ts';

/** What comes in bursts of both arms' slow answers, told look by look as the gateway does it. */
export class SlowWatch {
  #arms = { canary: new ArmWatch(), stable: new ArmWatch() };
  #minute: Minute | null = null;

  stage(): void {
    this.#arms = { canary: new ArmWatch(), stable: new ArmWatch() };
    this.#minute = null;
  }

  look(atS: number, minute: Minute): void {
    const isNew = minute !== this.#minute;
    this.#minute = minute;
    this.#arms.canary.look(atS, minute.canary, isNew);
    this.#arms.stable.look(atS, minute.stable, isNew);
  }
}

const MEASURES = [
  ['latency', slower],
  ['latency/frozen', slowerThanFrozen],
] as const;

class ArmWatch {
  readonly #meters = MEASURES.map(() => new BurstMeter());
  #seen = { requests: 0, events: MEASURES.map(() => 0) };

  look(atS: number, arm: ArmCounts, isNew: boolean): void {
    if (isNew) {
      for (const meter of this.#meters) meter.restart();
      this.#seen = { requests: 0, events: MEASURES.map(() => 0) };
    }
    const { requests } = arm;
    if (requests === this.#seen.requests) return;
    const events = MEASURES.map(([, count]) => count(arm));
    const counts = this.#meters.map((meter, i) => {
      meter.add({
        atMs: atS * 1000,
        requests: requests - this.#seen.requests,
        events: (events[i] as number) - (this.#seen.events[i] as number),
      });
      return meter.count;
    });
    this.#seen = { requests, events };
    arm.slowBursts = Object.fromEntries(MEASURES.map(([name], i) => [name, counts[i] as BurstCount]));
  }
}
