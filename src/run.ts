import { type App, StartError, startApp } from './app.ts';
import type { Io } from './cli/io.ts';
import { type holdSignals, untilShutdown } from './shutdown.ts';

/** `coalmine run`: from start to the end of the drain; resolves with the exit code. Signals that were held are heeded once it has started. */
export async function runGateway(
  configFile: string,
  io: Io,
  held: ReturnType<typeof holdSignals>,
  timeScale = 1,
): Promise<number> {
  let app: App;
  try {
    app = await startApp({ configFile, env: io.env, timeScale });
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    io.err(`coalmine: ${error.message}\n`);
    return 1;
  }
  const ended = untilShutdown(process, {
    drain: () => app.close(),
    reload: () => void app.reload(),
    exit: (code) => process.exit(code),
    log: app.log,
  });
  held.release();
  return ended;
}
