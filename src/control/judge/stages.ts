import { comparedShares, shareBeside } from '../../core/comparison.ts';
import type { Service, Split } from '../../core/model.ts';

/** Stages of a service that are remembered, the latest ones; the data path itself keeps fewer. */
const KEPT = 16;

/** A stage that came into force: when, and who got which share of the compared requests. */
interface StageFacts {
  readonly beganMs: number;
  readonly shares: ReadonlyMap<string, number>;
}

/** What the shares of each stage were decides how its counts are read, also after it is over. */
export class Stages {
  /** By service and stage. */
  readonly #services = new Map<string, Map<number, StageFacts>>();

  /** Called with every Split that comes into force. */
  follow(split: Split, nowMs: number): void {
    const names = new Set(split.services.map(({ name }) => name));
    for (const name of this.#services.keys()) if (!names.has(name)) this.#services.delete(name);
    for (const service of split.services) {
      const dealt = comparedShares(service);
      if (dealt === null) continue;
      const stages = this.#services.get(service.name) ?? new Map<number, StageFacts>();
      const beganMs = stages.get(service.stage)?.beganMs ?? nowMs;
      const shares = new Map<string, number>();
      for (const [version, { name }] of service.versions.entries()) {
        const share = shareBeside(dealt, version, service.stable);
        if (version !== service.stable && share !== null) shares.set(name, share);
      }
      this.#services.set(service.name, stages.set(service.stage, { beganMs, shares }));
      for (const stage of stages.keys()) {
        if (stages.size <= KEPT) break;
        stages.delete(stage);
      }
    }
  }

  /** When the service's stage in force began; null: nothing is compared in it. */
  beganMs({ name, stage }: Service): number | null {
    return this.#services.get(name)?.get(stage)?.beganMs ?? null;
  }

  /** Null: nothing was compared in that stage, or not with this version. */
  shareOf({ name }: Service, stage: number, version: string): number | null {
    return this.#services.get(name)?.get(stage)?.shares.get(version) ?? null;
  }
}
