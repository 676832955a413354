import { logR, MORE } from '../../src/core/judge/kernels/ratio.ts';

/** What the users of a canary saw, and when: written down beside the product, not by it. */

export interface Seen {
  /** Wall clock, ms, when the answer was there. */
  readonly atMs: number;
  readonly version: string;
  readonly status: number;
}

export class Witness {
  readonly #seen: Seen[] = [];

  add(version: string, status: number): void {
    this.#seen.push({ atMs: Date.now(), version, status });
  }

  /** Answers of a version from a moment on. */
  answersOf(version: string, fromMs: number): number {
    return this.#seen.filter((one) => one.version === version && one.atMs >= fromMs).length;
  }

  /**
   * When the failures alone proved harm at the share `w`, by the users' own count: the moment from which the
   * judge could have known. Each user asks once here, so every failure is a first one. Null: they never did.
   *
   * @param needed evidence that decides, as a factor
   */
  provenMs(canary: string, w: number, needed: number): number | null {
    let kc = 0;
    let ks = 0;
    for (const { atMs, version, status } of this.#seen) {
      if (status < 500) continue;
      if (version === canary) kc++;
      else ks++;
      if (logR([{ kc, ks, w }], 1, MORE) >= Math.log(needed)) return atMs;
    }
    return null;
  }
}
