const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface Interruption {
  /** Fires on the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** Listens no longer. */
  release(): void;
}

/** Whoever asks a second time does not want to wait: `hurry` is called, and the process ends. */
export function interrupted(hurry: () => void): Interruption {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) {
      hurry();
      process.exit(130);
    }
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    release() {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
