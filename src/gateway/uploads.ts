import type { ListenerLimits } from '../core/model.ts';
import type { Exchange } from './exchange.ts';

/** How often uploads are looked at within their limit. */
const SWEEPS_PER_LIMIT = 6;
const MIN_SWEEP_MS = 50;

type UploadLimits = Pick<ListenerLimits, 'bodyIdleTimeoutMs' | 'minBodyBytesPerSecond'>;

/**
 * Requests whose body is still arriving. One sweep for all of them finds those
 * that stopped, and those that only drip, so that a request costs no timer of its own.
 *
 * The rate is measured as in Apache's mod_reqtimeout: a request has as much time in
 * hand as it may be silent; time spends it, and each byte earns some back.
 *
 * They stand in reused slots, so that a finished request is let go at once; a
 * Set's table would hold it until it next grows. No difference in CPU was shown.
 */
export class Uploads {
  readonly #slots: (Exchange | null)[] = [];
  readonly #free: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(limits: UploadLimits, nowMs: () => number, onStalled: (x: Exchange) => void) {
    const everyMs = Math.max(MIN_SWEEP_MS, limits.bodyIdleTimeoutMs / SWEEPS_PER_LIMIT);
    this.#timer = setInterval(() => this.#sweep(limits, nowMs(), onStalled), everyMs);
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

  #sweep(limits: UploadLimits, nowMs: number, onStalled: (x: Exchange) => void): void {
    for (const x of this.#slots) {
      if (x === null || moves(x, limits, nowMs)) continue;
      this.remove(x);
      onStalled(x);
    }
  }
}

/** Whether a body arrives as it must; notes what this look has found. */
function moves(x: Exchange, limits: UploadLimits, nowMs: number): boolean {
  const { bytesRead } = x.req.socket;
  const { bodyIdleTimeoutMs: limitMs, minBodyBytesPerSecond: perSecond } = limits;
  const isFirst = x.uploadBytes < 0;
  const bytes = bytesRead - x.uploadBytes;
  const passedMs = nowMs - x.uploadLookMs;
  x.uploadBytes = bytesRead;
  x.uploadLookMs = nowMs;
  // A body that nobody reads cannot arrive; that stall is the upstream's and has its own time-out.
  const isAwaited = x.req.readableFlowing === true;
  if (isFirst || bytes > 0 || !isAwaited) x.uploadSinceMs = nowMs;
  if (isFirst || !isAwaited) return true;
  if (nowMs - x.uploadSinceMs >= limitMs) return false;
  if (perSecond === 0) return true;
  x.uploadSpentMs = Math.max(0, x.uploadSpentMs + passedMs - (bytes * 1_000) / perSecond);
  return x.uploadSpentMs < limitMs;
}
