import type { Config } from '../config/load.ts';
import type { Split } from '../core/model.ts';

/** Takes over a Split. A throw refuses it; the one before stays in force. */
export type SplitSink = (split: Split) => void;

/**
 * The one mutable cell of the control path: the Split in force and the config
 * it came from. Everyone else gets immutable snapshots out of it.
 */
export interface Holder {
  split(): Split;
  /** As the file says; the Split may differ from it where a weight was set by hand. */
  config(): Config;
  /**
   * Hands the Split to every sink in the order they subscribed, then keeps it.
   * When one of them throws, those before it get the old Split back, nothing is
   * kept, and the error goes to the caller.
   */
  swap(next: Split, config?: Config): void;
  /** The sink is called for every later swap, not for the Split in force now. */
  subscribe(sink: SplitSink): () => void;
}

export function createHolder(initial: Split, initialConfig: Config): Holder {
  let split = initial;
  let config = initialConfig;
  const sinks = new Set<SplitSink>();
  return {
    split: () => split,
    config: () => config,
    swap(next, nextConfig) {
      if (next.revision <= split.revision) {
        throw new Error(`revision ${next.revision} does not follow ${split.revision}`);
      }
      handOver([...sinks], next, split);
      split = next;
      config = nextConfig ?? config;
    },
    subscribe(sink) {
      sinks.add(sink);
      return () => void sinks.delete(sink);
    },
  };
}

function handOver(sinks: readonly SplitSink[], next: Split, previous: Split): void {
  const done: SplitSink[] = [];
  try {
    for (const sink of sinks) {
      sink(next);
      done.push(sink);
    }
  } catch (error) {
    for (const sink of done.reverse()) sink(previous);
    throw error;
  }
}
