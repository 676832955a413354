import type { Io } from './io.ts';

/** The long-running commands, which main.ts provides: they need the whole gateway. */
export interface LongCommands {
  /** Both resolve with the exit code when the process may end. */
  run(options: RunOptions): Promise<number>;
  demo(options: DemoOptions): Promise<number>;
}

export interface RunOptions {
  readonly configFile: string;
  /** How much faster than the wall's the clock of the rollouts runs. */
  readonly timeScale?: number;
}

/** As typed. */
export interface DemoOptions {
  readonly rate?: string;
  readonly users?: string;
  readonly duration?: string;
  readonly fault?: string;
  readonly port?: string;
  readonly adminPort?: string;
}

/** What a command's file gets to build on. */
export interface CommandContext extends LongCommands {
  readonly io: Io;
  /** Wraps an action so that the number it returns becomes the exit code. */
  action<A extends unknown[]>(work: (...args: A) => number | Promise<number>): (...args: A) => Promise<void>;
}
