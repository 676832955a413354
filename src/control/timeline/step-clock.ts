/** A wall clock that got ahead of the monotonic one by more was set, or the machine slept. */
const WALL_LEAP_MS = 2_000;

/** A step that has just ended. */
export interface Step {
  /** Counts steps since the clock was made; those of which nothing is known count too. */
  readonly number: number;
  /** Since the last look; a little more or less than the step, as timers fire. */
  readonly spanMs: number;
  /** False: the time since the last look was no single step, so what was counted in it is of no one step. */
  readonly known: boolean;
}

/**
 * Divides time into steps of equal length. The steps go by the monotonic clock. Where the wall clock
 * leaps ahead (the machine slept, or it was set) steps are left out for the time that nobody saw;
 * where it is set back, the past is told by the clock as it is now.
 */
export class StepClock {
  readonly stepMs: number;
  #number = -1;
  #endMs: number;
  #endWallMs: number;
  #lookedAtMs: number;
  #lookedWallMs: number;

  constructor(stepMs: number, nowMs: number, wallMs: number) {
    this.stepMs = stepMs;
    this.#endMs = nowMs;
    this.#endWallMs = wallMs;
    this.#lookedAtMs = nowMs;
    this.#lookedWallMs = wallMs;
  }

  /** Of the newest step; -1: none has ended yet. */
  get number(): number {
    return this.#number;
  }

  /** The step that has ended since the last call that gave one; null: none. */
  look(nowMs: number, wallMs: number): Step | null {
    const passed = Math.floor((nowMs - this.#endMs) / this.stepMs);
    if (passed < 1) return null;
    const spanMs = nowMs - this.#lookedAtMs;
    const leapMs = wallMs - this.#lookedWallMs - spanMs;
    const unseen = leapMs > WALL_LEAP_MS ? Math.round(leapMs / this.stepMs) : 0;
    this.#number += passed + unseen;
    this.#endMs += passed * this.stepMs;
    this.#endWallMs = wallMs - (nowMs - this.#endMs);
    this.#lookedAtMs = nowMs;
    this.#lookedWallMs = wallMs;
    return { number: this.#number, spanMs, known: passed === 1 && unseen === 0 };
  }

  /** Wall clock at the end of a step, ms since the epoch. */
  endOf(step: number): number {
    return Math.round(this.#endWallMs - (this.#number - step) * this.stepMs);
  }
}
