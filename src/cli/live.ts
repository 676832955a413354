import type { HistoryView, RolloutView } from '../admin/contract.ts';
import type { Client } from './client.ts';
import { follow, type Sight } from './follow.ts';
import type { OutputFormat } from './format.ts';
import { EXIT, type Io, type Terminal } from './io.ts';
import { changeKey, drawRollout, measuredText, summaryText, timeText } from './live-draw.ts';
import { BLANK, type Line, line } from './live-line.ts';
import { createScreen } from './live-screen.ts';
import { plain, terminalOf } from './terminal.ts';

/** Where a watched rollout is shown. */
interface Show {
  show(sight: Sight): void;
  end(): void;
}

const ENTRIES = 5;

/** Shows a rollout until the user ends it: in place on a terminal, a line for each change elsewhere. */
export async function watchRollout(
  client: Client,
  name: string,
  io: Io,
  output: OutputFormat,
): Promise<number> {
  const terminal = terminalOf(io);
  const inPlace = output === 'text' && terminal.inPlace;
  const ended = new AbortController();
  const release = terminal.onInterrupt(() => ended.abort());
  const show = inPlace ? pictures(io, terminal) : changes(io, output);
  try {
    const options = { entries: inPlace ? ENTRIES : 0, signal: ended.signal };
    for await (const sight of follow(client, name, io, options)) show.show(sight);
  } finally {
    show.end();
    release();
  }
  return EXIT.done;
}

interface Picture {
  readonly view: RolloutView;
  readonly history: readonly HistoryView[];
}

/** The last picture stays while the gateway is away, marked as what it is. */
export function drawSight(sight: Sight, last: Picture | null, lostAt: string): Line[] {
  if (sight.kind === 'seen') return drawRollout(sight.view, sight.history);
  const banner = [
    line(`! Out of date since ${lostAt}: this is the last picture, asking again`, 'bad'),
    line(`  ${sight.message}`, 'bad'),
  ];
  const old = last === null ? [] : drawRollout(last.view, last.history);
  return [...banner, BLANK, ...old.map((one): Line => ({ ...one, tone: 'dim' }))];
}

function pictures(io: Io, terminal: Terminal): Show {
  const screen = createScreen(io, terminal);
  let last: Picture | null = null;
  let lastAt = '';
  return {
    show(sight) {
      screen.show(drawSight(sight, last, lastAt));
      if (sight.kind === 'lost') return;
      last = sight;
      lastAt = now();
    },
    end: () => screen.end(),
  };
}

function changes(io: Io, output: OutputFormat): Show {
  let key = '';
  let lost = false;
  return {
    show(sight) {
      if (sight.kind === 'lost') {
        if (!lost) io.err(`coalmine: ${sight.message}; asking again\n`);
        lost = true;
        return;
      }
      if (lost) io.err('coalmine: the gateway answers again\n');
      lost = false;
      const next = changeKey(sight.view);
      if (next === key) return;
      key = next;
      io.out(output === 'json' ? `${JSON.stringify(sight.view)}\n` : changeText(sight.view));
    },
    end: () => undefined,
  };
}

function changeText(view: RolloutView): string {
  const parts = [summaryText(view), measuredText(view)];
  return `${now()}  ${plain(parts.filter((part) => part !== '').join('; '))}\n`;
}

function now(): string {
  return timeText(new Date().toISOString());
}
