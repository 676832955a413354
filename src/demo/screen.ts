import {
  drawLine,
  drawTables,
  ERASE_BELOW,
  HIDE_CURSOR,
  type Picture,
  paint,
  SHOW_CURSOR,
  upBy,
} from './view.ts';

/** The part of a terminal or a pipe that is needed; process.stdout is one. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Read at each picture, since windows change. */
  readonly columns?: number;
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
  const draw = (said: string, lines: string[]) => {
    const back = drawn.length > 0 ? upBy(drawn.length) + ERASE_BELOW : '';
    output.write(`${back}${said}${lines.map((line) => `${line}\n`).join('')}`);
    drawn = lines;
  };
  const show = (picture: Picture) => {
    if (!hidden) output.write(HIDE_CURSOR);
    hidden = true;
    draw(
      '',
      drawTables(picture).map((line) => paint(line, output.columns ?? 80, colour)),
    );
  };
  return {
    everyMs: 500,
    say: (text) => draw(`${text}\n`, drawn),
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
