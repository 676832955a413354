import type { ListenerSettings } from '../core/model.ts';
import type { Clock, Log, Random, SpanSink } from '../ports.ts';
import type { ErrorCode } from './errors.ts';
import type { Readers } from './readers.ts';
import type { Table } from './table.ts';
import type { Uploads } from './uploads.ts';

/** What all requests of one gateway share. `table` is the one reference that a new Split swaps. */
export interface Gate {
  table: Table;
  readonly settings: ListenerSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** This process' name in Via. */
  readonly instance: string;
  /** Counts a request that was refused before it had a version. */
  readonly countRefused: (code: ErrorCode) => void;
  readonly uploads: Uploads;
  /** Null: nothing is traced. */
  spans: SpanSink | null;
  readonly readers: Readers;
  /** Answers carry `Connection: close` from now on. */
  draining: boolean;
  /** Requests whose answer is not yet wholly handed to the client's socket. */
  inFlight: number;
}
