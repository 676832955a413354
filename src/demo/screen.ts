import { ERASE_BELOW, ERASE_LINE_END, fit, HIDE_CURSOR, paint, SHOW_CURSOR, upBy } from './lines.ts';
import { drawLine, drawTables, type Picture } from './view.ts';

/** The part of a terminal or a pipe that is needed; process.stdout is one. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Read at each picture, since windows change. */
  readonly columns?: number;
  readonly rows?: number;
}

/** Where the demo shows itself: drawn in place on a terminal, a line at a time elsewhere. */
export interface Screen {
  /** How often `show` is worth a call, in milliseconds. */
  readonly everyMs: number;
  /** A line that stays. */
  say(text: string): void;
  show(picture: Picture): void;
  /** The last picture, in full; the cursor comes back. Nothing may be shown afterwards. */
  end(picture: Picture | null): void;
}

export function createScreen(output: Output, env: Readonly<Record<string, string | undefined>>): Screen {
  return output.isTTY ? inPlace(output, !env.NO_COLOR) : lineByLine(output);
}

function inPlace(output: Output, colour: boolean): Screen {
  let drawn: string[] = [];
  let hidden = false;
  // Each line is written over and what is left of the old picture goes last: a terminal that is cleared from
  // its top on may keep what it showed in its history, picture by picture.
  const draw = (said: string[], lines: string[]) => {
    const text = [...said, ...lines].map((line) => `${line}${ERASE_LINE_END}\n`).join('');
    output.write(`${drawn.length > 0 ? upBy(drawn.length) : ''}${text}${ERASE_BELOW}`);
    drawn = lines;
  };
  const show = (picture: Picture) => {
    if (!hidden) output.write(HIDE_CURSOR);
    hidden = true;
    draw(
      [],
      fit(drawTables(picture), output.rows ?? 24).map((line) => paint(line, output.columns ?? 80, colour)),
    );
  };
  return {
    everyMs: 500,
    say: (text) => draw([text], drawn),
    show,
    end(picture) {
      if (picture) show(picture);
      if (hidden) output.write(SHOW_CURSOR);
    },
  };
}

function lineByLine(output: Output): Screen {
  return {
    everyMs: 2000,
    say: (text) => void output.write(`${text}\n`),
    show: (picture) => void output.write(`${drawLine(picture)}\n`),
    end(picture) {
      if (!picture) return;
      for (const line of drawTables(picture)) output.write(`${line.text}\n`);
    },
  };
}
