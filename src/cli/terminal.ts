import type { Io, Terminal } from './io.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The terminal that a command writes to. */
export function terminalOf(io: Io): Terminal {
  return io.terminal ?? processTerminal(io.env);
}

function processTerminal(env: Io['env']): Terminal {
  const { stdout } = process;
  return {
    inPlace: stdout.isTTY === true && env.TERM !== 'dumb',
    // 0 where nobody told the terminal its size, as in some containers.
    columns: () => stdout.columns || 80,
    rows: () => stdout.rows || 24,
    onInterrupt(listener) {
      for (const signal of SIGNALS) process.on(signal, listener);
      return () => {
        for (const signal of SIGNALS) process.off(signal, listener);
      };
    },
  };
}

/** One line as a terminal may safely get it: what others wrote must not move the cursor or change colours. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu, ' ');
}
