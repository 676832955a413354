import type { EventEmitter } from 'node:events';
import type { Log } from './ports.ts';

export interface ShutdownHooks {
  /** Finishes what is under way; bounded in time. */
  drain(): Promise<void>;
  reload(): void;
  /** Ends the process at once. */
  exit(code: number): void;
  readonly log: Log;
}

/**
 * Takes signals that come before there is anything to drain or reload. `release`
 * hands them to the handlers that are there by then; a second one that ends goes
 * through `exit` at once.
 */
export function holdSignals(source: EventEmitter, exit: (code: number) => void): { release(): void } {
  const held: string[] = [];
  const hold = (signal: string) => {
    if (signal !== 'SIGHUP' && held.some((each) => each !== 'SIGHUP')) return exit(1);
    if (!held.includes(signal)) held.push(signal);
  };
  for (const signal of SIGNALS) source.on(signal, hold);
  return {
    release() {
      for (const signal of SIGNALS) source.off(signal, hold);
      for (const signal of held) source.emit(signal, signal);
    },
  };
}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'];

/**
 * Resolves with the exit code once the process may end.
 *
 * SIGTERM and SIGINT drain and end with 0; a second one ends at once with 1. An
 * uncaught error drains too and ends with 1. SIGHUP reloads.
 *
 * Not close-with-grace: it ends the process at the first uncaught error that
 * happens while it closes, which would cut the requests that the drain is for,
 * and it takes SIGHUP for a signal to end.
 */
export function untilShutdown(source: EventEmitter, hooks: ShutdownHooks): Promise<number> {
  const { log } = hooks;
  return new Promise((resolve) => {
    let draining = false;
    let exitCode = 0;

    const drain = async () => {
      draining = true;
      try {
        await hooks.drain();
      } catch (error) {
        log.error({ err: error }, 'the drain failed');
        exitCode = 1;
      }
      resolve(exitCode);
    };
    const onSignal = (signal: string) => {
      if (draining) {
        log.warn({ signal }, 'second signal: ending at once');
        hooks.exit(1);
        return;
      }
      log.info({ signal }, 'ending: draining first');
      void drain();
    };
    const onError = (error: unknown) => {
      log.error(
        { err: error },
        draining ? 'uncaught error while draining' : 'uncaught error: draining, then ending',
      );
      exitCode = 1;
      if (!draining) void drain();
    };

    source.on('SIGTERM', onSignal);
    source.on('SIGINT', onSignal);
    source.on('SIGHUP', () => hooks.reload());
    source.on('uncaughtException', onError);
    source.on('unhandledRejection', onError);
  });
}
