import { pino } from 'pino';
import type { Log } from './ports.ts';

export interface LeveledLog extends Log {
  setLevel(level: string): void;
}

/** Lines held back while whoever reads stderr is slow; beyond it they are dropped. */
const MAX_HELD_BYTES = 1 << 20;

/**
 * JSON lines on stderr. Written without waiting: a reader that stalls must not
 * stall the requests. What is held back is bounded, and written out at exit.
 */
export function createLog(level: string): LeveledLog {
  const destination = pino.destination({ fd: 2, sync: false, maxLength: MAX_HELD_BYTES });
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    setLevel(next) {
      logger.level = next;
    },
  };
}
