/** What the commands know of the process they run in. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  readonly env: Record<string, string | undefined>;
  /** Of coalmine itself. */
  readonly version: string;
  /** Where `out` goes, for live views; the process's own if left out. */
  readonly terminal?: Terminal;
  /** How often commands that watch ask the gateway; 1000 if left out. */
  readonly watchEveryMs?: number;
}

/** What a live view needs to know of a terminal. */
export interface Terminal {
  /** Whether it can be drawn on in place. */
  readonly inPlace: boolean;
  /** Both read at each picture, since windows change. */
  columns(): number;
  rows(): number;
  /** Calls back when the user ends the command; gives back what stops the listening. */
  onInterrupt(listener: () => void): () => void;
}

/** Exit codes of every command. */
export const EXIT = { done: 0, no: 1, usage: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command with a message that says what to do. */
export class CliError extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.name = 'CliError';
    this.exitCode = exitCode;
  }
}
