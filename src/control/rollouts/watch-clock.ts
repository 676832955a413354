import type { Clock, Log } from '../../ports.ts';

/** A longer silence than this counts as no longer: nobody watched meanwhile. Real milliseconds. */
const MAX_GAP_MS = 5_000;
/** A wall clock that differs from the monotonic one by more has been set. */
const WALL_JUMP_MS = 2_000;

/**
 * The time that rollouts live in: it runs while this process watches, at a pace
 * of its own, never jumps and never goes back. A process that was stopped, a
 * machine that slept and a wall clock that was set make no pause shorter.
 */
export class WatchClock {
  readonly timeScale: number;
  readonly #clock: Clock;
  readonly #log: Log;
  #nowMs = 0;
  #lastMs: number;
  #wallOffsetMs: number;

  constructor(clock: Clock, timeScale: number, log: Log) {
    this.#clock = clock;
    this.timeScale = timeScale;
    this.#log = log;
    this.#lastMs = clock.nowMs();
    this.#wallOffsetMs = clock.wallMs() - this.#lastMs;
  }

  /** Milliseconds since this process began to watch, on that time. */
  nowMs(): number {
    const real = this.#clock.nowMs();
    const gapMs = Math.max(0, real - this.#lastMs);
    this.#lastMs = real;
    this.#nowMs += Math.min(gapMs, MAX_GAP_MS) * this.timeScale;
    if (gapMs > MAX_GAP_MS) this.#tellGap(gapMs);
    this.#watchWall(real);
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  #tellGap(gapMs: number): void {
    const fields = { stoodStillMs: Math.round(gapMs) };
    this.#log.warn(fields, 'the process stood still; rollouts count that time as none');
  }

  #watchWall(realMs: number): void {
    const offsetMs = this.#clock.wallMs() - realMs;
    const jumpMs = offsetMs - this.#wallOffsetMs;
    if (Math.abs(jumpMs) <= WALL_JUMP_MS) return;
    this.#wallOffsetMs = offsetMs;
    this.#log.warn({ jumpMs: Math.round(jumpMs) }, 'the wall clock jumped; rollouts do not count by it');
  }
}
