import { parseArgs } from 'node:util';

export const ROWS = ['load', 'bodies', 'idle', 'scale', 'stall', 'soak', 'large', 'micro', 'judge'] as const;
export type RowName = (typeof ROWS)[number];

export interface Options {
  readonly rows: readonly RowName[];
  readonly rounds: number;
  /** Length of one measurement. */
  readonly seconds: number;
  /** Requests each proxy answers before the first round, so that its code is compiled. */
  readonly warmupRequests: number;
  /** Client connections of the load. */
  readonly connections: number;
  /** Fixed rate of the latency rows, in requests a second; null: half of the slowest subject's best. */
  readonly rate: number | null;
  /** Only these subjects; null: all. */
  readonly subjects: readonly string[] | null;
  readonly quick: boolean;
  readonly json: string | null;
  readonly strict: boolean;
}

export const USAGE = `npm run bench [-- options]
  rows=load,bodies,…    some of ${ROWS.join(', ')} (default: all)
  --subjects a,b        some of coalmine, coalmine+mirror, coalmine+observe, http-proxy, bare-pipe,
                        bare-pipe+flags, nginx, haproxy
  --rounds N            interleaved repeats (default 5)
  --seconds S           length of one measurement (default 4)
  --warmup N            requests to warm each proxy up (default 60000)
  --connections N       connections of the load (default 64)
  --rate R              fixed rate for latencies (default: half of the slowest proxy's best)
  --quick               2 rounds of 1.5 s, smaller rows: a smoke test, not figures to quote
  --json FILE           raw figures as JSON
  --strict              exit 1 when a target is missed
`;

/** Throws with a sentence for the user when the arguments make no sense. */
export function parseOptions(argv: readonly string[]): Options | 'help' {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      rows: { type: 'string' },
      subjects: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      warmup: { type: 'string' },
      connections: { type: 'string' },
      rate: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      strict: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const { quick } = values;
  return {
    rows: parseRows(values.rows ?? rowsOf(positionals)),
    rounds: positive('--rounds', values.rounds, quick ? 2 : 5),
    seconds: positive('--seconds', values.seconds, quick ? 1.5 : 4),
    warmupRequests: positive('--warmup', values.warmup, quick ? 15_000 : 60_000),
    connections: positive('--connections', values.connections, 64),
    rate: values.rate === undefined ? null : positive('--rate', values.rate, 0),
    subjects: values.subjects?.split(',') ?? null,
    quick,
    json: values.json ?? null,
    strict: values.strict,
  };
}

function rowsOf(positionals: readonly string[]): string | undefined {
  const [first, ...others] = positionals;
  if (first === undefined) return undefined;
  if (!first.startsWith('rows=') || others.length > 0)
    throw new Error(`unknown argument: ${positionals.join(' ')}`);
  return first.slice('rows='.length);
}

function parseRows(list: string | undefined): readonly RowName[] {
  if (list === undefined) return ROWS;
  return list.split(',').map((name) => {
    const row = ROWS.find((one) => one === name);
    if (row === undefined) throw new Error(`unknown row ${name}; there are ${ROWS.join(', ')}`);
    return row;
  });
}

function positive(flag: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${flag} must be a positive number, not ${text}`);
  return value;
}
