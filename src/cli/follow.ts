import type { HistoryBody, HistoryView, RolloutView } from '../admin/contract.ts';
import { type Client, RefusedError, rolloutPath, UnreachableError, type Wait } from './client.ts';
import type { Io } from './io.ts';

/** What a look at a rollout brought: its picture, or why there is none just now. */
export type Sight =
  | { readonly kind: 'seen'; readonly view: RolloutView; readonly history: readonly HistoryView[] }
  | { readonly kind: 'lost'; readonly message: string };

export interface FollowOptions {
  /** Newest entries of the history to bring along; 0: none. */
  readonly entries: number;
  /** Ends the following, also in the middle of a look. */
  readonly signal: AbortSignal;
  /** The first look is brought to its end whatever the signal says. */
  readonly atLeastOnce?: boolean;
}

const EVERY_MS = 1_000;
const LOOK_TIMEOUT_MS = 3_000;

/**
 * Looks at a rollout again and again, until the signal. A gateway that goes away
 * is waited for, since a rollout outlives its process; one that was never there,
 * or that says no, ends it with the error.
 */
export async function* follow(
  client: Client,
  name: string,
  io: Io,
  options: FollowOptions,
): AsyncGenerator<Sight, void, void> {
  const { signal, entries, atLeastOnce = false } = options;
  let wasThere = false;
  for (let first = true; first || !signal.aborted; first = false) {
    const untouched = first && atLeastOnce;
    const sight = await look(client, name, entries, untouched ? {} : { signal });
    if (signal.aborted && !untouched) return;
    if (sight instanceof Error) {
      if (!wasThere || !mayPass(sight)) throw sight;
      yield { kind: 'lost', message: sight.message };
    } else {
      wasThere = true;
      yield sight;
    }
    await pause(io.watchEveryMs ?? EVERY_MS, signal);
  }
}

async function look(client: Client, name: string, entries: number, until: Wait): Promise<Sight | Error> {
  const wait = { ...until, timeoutMs: LOOK_TIMEOUT_MS };
  const path = rolloutPath(name);
  try {
    const [view, past] = await Promise.all([
      client.get<RolloutView>(path, wait),
      entries === 0 ? null : client.get<HistoryBody>(`${path}/history?limit=${entries}`, wait),
    ]);
    return { kind: 'seen', view, history: past?.history ?? [] };
  } catch (error) {
    return error as Error;
  }
}

/** The admin port's own failure may pass; that there is no such rollout will not. */
function mayPass(error: Error): boolean {
  return error instanceof UnreachableError || (error instanceof RefusedError && error.code === 'internal');
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
