/** Waiting for events in tests: never for a fixed time, always with an end. */

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves once `holds` is true, asked again every few ms; rejects with `what` after `timeoutMs`. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await sleep(5);
  }
}

/** The promise's value, or a rejection with `what` after `timeoutMs`. */
export async function within<T>(promise: Promise<T>, what: string, timeoutMs = 10_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${timeoutMs} ms in vain: ${what}`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whatever was changed, tells those who wait for it. */
export class Bell {
  private waiting: (() => void)[] = [];

  ring(): void {
    const woken = this.waiting;
    this.waiting = [];
    for (const wake of woken) wake();
  }

  /** Resolves once `holds` is true, asked at every ring; rejects after `timeoutMs` with `describe()`. */
  async until(holds: () => boolean, describe: () => string, timeoutMs = 10_000): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.ring();
    }, timeoutMs);
    try {
      while (!holds()) {
        if (late) throw new Error(`waited ${timeoutMs} ms in vain: ${describe()}`);
        await new Promise<void>((resolve) => this.waiting.push(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
