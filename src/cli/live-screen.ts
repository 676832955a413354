import type { Io, Terminal } from './io.ts';
import { type Line, line, paint } from './live-line.ts';

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const ERASE_LINE_END = '\x1b[K';
const ERASE_BELOW = '\x1b[0J';

/** A picture on a terminal, drawn anew in its place. */
export interface Screen {
  show(lines: readonly Line[]): void;
  /** The cursor comes back; the last picture stays. */
  end(): void;
}

export function createScreen({ out, env }: Io, terminal: Terminal): Screen {
  const colour = !env.NO_COLOR;
  let drawn: readonly Line[] = [];
  let hidden = false;
  return {
    show(lines) {
      const columns = terminal.columns();
      const back = drawn.length === 0 ? '' : `\x1b[${rowsOf(drawn, columns)}A\r`;
      const fitting = fit(lines, terminal.rows());
      const text = fitting.map((one) => `${paint(one, columns, colour)}${ERASE_LINE_END}\n`).join('');
      out(`${hidden ? '' : HIDE_CURSOR}${back}${text}${ERASE_BELOW}`);
      hidden = true;
      drawn = fitting.map((one) => ({ ...one, text: paint(one, columns, false) }));
    },
    end() {
      if (hidden) out(SHOW_CURSOR);
      hidden = false;
    },
  };
}

/** What scrolled off the top could not be drawn over. */
function fit(lines: readonly Line[], height: number): readonly Line[] {
  const room = Math.max(1, height - 1);
  if (lines.length <= room) return lines;
  const left = lines.length - room + 1;
  return [...lines.slice(0, room - 1), line(`… ${left} more lines; make the window higher`, 'dim')];
}

/** Rows that the lines take up now: a window that was made narrower has wrapped them. */
function rowsOf(lines: readonly Line[], columns: number): number {
  return lines.reduce(
    (sum, { text }) => sum + Math.max(1, Math.ceil([...text].length / Math.max(1, columns))),
    0,
  );
}
