import { parseArgs } from 'node:util';
import { SCENARIOS } from './scenarios.ts';

export interface Options {
  /** In a cell. */
  readonly runs: number;
  readonly seed: string;
  readonly only: readonly string[];
  readonly quick: boolean;
  /** Fresh runs of each of the cells with the most false rollbacks; 0: none. */
  readonly again: number;
  readonly processes: number;
  /** The peers' empty minutes do not count against the canary. */
  readonly skipEmpty: boolean;
  readonly json: string | null;
  /** A Markdown page whose marked part is replaced by the tables. */
  readonly write: string | null;
  readonly strict: boolean;
}

const names = SCENARIOS.map(({ name }) => name);

export const DEFAULT_SEED = 'coalmine';
export const DEFAULT_RUNS = 400;

export const USAGE = `npm run bench:judge [-- options]
  --runs N           simulated rollouts a cell (default ${DEFAULT_RUNS}; scenarios with more gates take a part of it)
  --seed TEXT        (default ${DEFAULT_SEED})
  --only a,b         some of ${names.join(', ')}
  --quick            few runs of few cells, ten seconds: a smoke test, not figures to quote
  --again N          N fresh runs, of another seed, of each of the cells with the most false rollbacks: in a table of
                     hundreds of cells some are bad by chance, and those are not bad again
  --processes N      (default 2)
  --skip-empty       a minute without canary requests is nothing to Argo and Flagger, where theirs is a failure
  --json FILE        the figures as JSON
  --write FILE       puts the tables between the marks of a Markdown page, such as docs/statistics.md
  --strict           exit 1 when a target is missed
`;

/** Throws with a sentence for the user when the arguments make no sense. */
export function parseOptions(argv: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      runs: { type: 'string' },
      seed: { type: 'string', default: DEFAULT_SEED },
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      again: { type: 'string' },
      processes: { type: 'string' },
      'skip-empty': { type: 'boolean', default: false },
      json: { type: 'string' },
      write: { type: 'string' },
      strict: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const { quick } = values;
  return {
    runs: count('--runs', values.runs, quick ? 10 : DEFAULT_RUNS),
    seed: values.seed,
    only: values.only === undefined ? names : values.only.split(',').map(known),
    quick,
    again: values.again === undefined ? 0 : count('--again', values.again, 0),
    processes: count('--processes', values.processes, quick ? 1 : 2),
    skipEmpty: values['skip-empty'],
    json: values.json ?? null,
    write: values.write ?? null,
    strict: values.strict,
  };
}

function known(name: string): string {
  if (!names.includes(name)) throw new Error(`unknown scenario ${name}; there are ${names.join(', ')}`);
  return name;
}

function count(flag: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${flag} must be a whole number, not ${text}`);
  return value;
}
