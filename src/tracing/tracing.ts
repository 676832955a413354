import { randomUUID } from 'node:crypto';
import { SPAN_OUTCOMES, type TracingSettings } from '../core/trace/span.ts';
import type { Log, Random, SpanSink } from '../ports.ts';
import type { Exporter, TracingCounts } from './exporter.ts';

/** Traces of the whole process: on, off, and elsewhere from the next reload on. */
export interface Tracing {
  /** Loads what exports spans where there is something to export. Never rejects. */
  adopt(settings: TracingSettings | null): Promise<void>;
  /** Null: nothing was ever traced. */
  counts(): TracingCounts | null;
  /** Sends what is left, for `graceMs` at most. */
  close(graceMs: number): Promise<void>;
}

export interface TracingDeps {
  /** Where requests are traced from now on; null: nowhere. */
  use(sink: SpanSink | null): void;
  readonly random: Random;
  readonly log: Log;
}

/** What an exporter that a reload replaced may take to send the rest. */
const REPLACED_GRACE_MS = 5_000;

export function createTracing({ use, random, log }: TracingDeps): Tracing {
  const instanceId = randomUUID();
  const counts: TracingCounts = {
    spans: Object.fromEntries(SPAN_OUTCOMES.map((name) => [name, 0])) as TracingCounts['spans'],
    requests: { recorded: 0, limited: 0 },
  };
  let current: Exporter | null = null;
  let everOn = false;
  const leaving = new Set<Promise<void>>();

  const leave = (exporter: Exporter | null) => {
    if (exporter === null) return;
    const left = exporter.close(REPLACED_GRACE_MS).finally(() => leaving.delete(left));
    leaving.add(left);
  };

  return {
    async adopt(settings) {
      const before = current;
      if (settings === null) current = null;
      else {
        // Only here: who traces nothing does not pay for it at start.
        const { Exporter } = await import('./exporter.ts');
        current = new Exporter({ settings, instanceId, counts, random, log });
        everOn = true;
      }
      use(current);
      leave(before);
    },
    counts: () => (everOn ? counts : null),
    async close(graceMs) {
      await Promise.all([current?.close(graceMs), ...leaving]);
    },
  };
}
