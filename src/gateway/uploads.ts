import type { Exchange } from './exchange.ts';

/** How often uploads are looked at within their limit. */
const SWEEPS_PER_LIMIT = 6;
const MIN_SWEEP_MS = 50;

/**
 * Requests whose body is still arriving. One sweep for all of them finds those
 * that stopped, so that a request costs no timer of its own.
 *
 * They stand in reused slots, so that a finished request is let go at once; a
 * Set's table would hold it until it next grows. No difference in CPU was shown.
 */
export class Uploads {
  readonly #slots: (Exchange | null)[] = [];
  readonly #free: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(limitMs: number, nowMs: () => number, onStalled: (x: Exchange) => void) {
    const everyMs = Math.max(MIN_SWEEP_MS, limitMs / SWEEPS_PER_LIMIT);
    this.#timer = setInterval(() => this.#sweep(limitMs, nowMs(), onStalled), everyMs);
    this.#timer.unref();
  }

  add(x: Exchange): void {
    const slot = this.#free.pop() ?? this.#slots.length;
    this.#slots[slot] = x;
    x.uploadSlot = slot;
  }

  remove(x: Exchange): void {
    if (x.uploadSlot < 0) return;
    this.#slots[x.uploadSlot] = null;
    this.#free.push(x.uploadSlot);
    x.uploadSlot = -1;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sweep(limitMs: number, nowMs: number, onStalled: (x: Exchange) => void): void {
    for (const x of this.#slots) {
      if (x === null) continue;
      const { bytesRead } = x.req.socket;
      // A body that nobody reads cannot arrive; that stall is the upstream's and has its own time-out.
      if (bytesRead !== x.uploadBytes || !x.req.readableFlowing) {
        x.uploadBytes = bytesRead;
        x.uploadSinceMs = nowMs;
      } else if (nowMs - x.uploadSinceMs >= limitMs) {
        this.remove(x);
        onStalled(x);
      }
    }
  }
}
