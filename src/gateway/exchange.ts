import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Assignment } from '../core/split/choose.ts';
import type { RequestFacts } from '../core/split/rules.ts';
import type { Tally } from '../core/tally.ts';
import type { Attempt } from './attempt.ts';
import { cookieValue } from './cookies.ts';
import type { ErrorCode } from './errors.ts';
import type { Gate } from './gate.ts';
import type { FlatHeaders } from './headers.ts';
import type { Sample } from './observe/sample.ts';
import { addressKey, type ConnectedPeer } from './peers.ts';
import type { ServiceRuntime, Table } from './table.ts';
import { queryParam } from './target.ts';
import type { Trace } from './trace.ts';

/**
 * One request from its head to its last byte: the single context that every
 * phase of the handler reads and writes. It holds the Split (as `table`) that was
 * in force when the head arrived and never looks at another.
 */
export class Exchange implements RequestFacts {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly gate: Gate;
  /** The table in force when the head arrived. */
  readonly table: Table;
  readonly peer: ConnectedPeer;
  /** Monotonic, ms: when the head was parsed. */
  readonly startMs: number;
  readonly method: string;
  readonly secure: boolean;
  /** Normalised; set by admission. */
  path = '/';
  /** The query with its `?`, or ''. */
  search = '';
  /** Host with port, as the client addressed it. */
  authority = '';
  requestId = '';
  /** The client waits for `100 Continue` before it sends the body. */
  expectsContinue: boolean;
  hasBody = false;
  /** The body, where it was short and came with the head; else it is streamed from `req`. */
  body: Buffer | null = null;
  runtime: ServiceRuntime | null = null;
  assignment: Assignment | null = null;
  tally: Tally | null = null;
  /** An id made for this user just now, to be handed out with the answer. */
  newId = '';
  upstreamHeaders: FlatHeaders = [];
  attempt: Attempt | null = null;
  /** Attempts made; the first one alone counts for the version's success. */
  attempts = 0;
  /** The canary's failure while stable answers for it; it is what is counted. */
  failure: ErrorCode | null = null;
  /** Monotonic, ms: when the first attempt failed and another was made for it; -1 otherwise. */
  firstFailureMs = -1;
  /** Why the gateway answered by itself or broke the answer off; null: it did not. */
  refusal: ErrorCode | null = null;
  /** Null unless this request is traced. */
  trace: Trace | null = null;
  /** Chosen for reading, of a service whose answers are observed. */
  sample: Sample | null = null;
  /** `timeouts.total` is over: nothing is tried again. */
  deadlinePassed = false;
  /** Monotonic, ms; -1 until the first byte of the answer went out. */
  firstByteMs = -1;
  /** Monotonic, ms: when the upstream's head arrived; -1 until then. */
  upstreamHeadMs = -1;
  /** Kept by Uploads: its place there (-1: none), the connection's bytes at the last look, when that was, since when they are the same, and the time that its slowness has spent. */
  uploadSlot = -1;
  uploadBytes = -1;
  uploadLookMs = 0;
  uploadSinceMs = 0;
  uploadSpentMs = 0;
  totalTimer: NodeJS.Timeout | null = null;
  /** The answer is out, broken off or given up; nothing more is to be done or counted. */
  settled = false;
  /** The client's side is over; the request is no longer in flight. */
  closed = false;

  constructor(gate: Gate, req: IncomingMessage, res: ServerResponse, expectsContinue: boolean) {
    this.gate = gate;
    this.req = req;
    this.res = res;
    this.table = gate.table;
    this.startMs = gate.clock.nowMs();
    this.method = req.method as string;
    this.peer = gate.table.proxies.peerOf(req.socket);
    this.secure = (req.socket as TLSSocket).encrypted === true;
    this.expectsContinue = expectsContinue;
  }

  header(name: string): string | undefined {
    const value = this.req.headers[name];
    // Inherited names such as `constructor` are no headers.
    return typeof value === 'string' ? value : undefined;
  }

  cookie(name: string): string | undefined {
    return cookieValue(this.req.headers.cookie, name);
  }

  query(name: string): string | undefined {
    return queryParam(this.search, name);
  }

  ip(): string {
    const forwarded = this.header('x-forwarded-for');
    return addressKey(this.table.proxies.clientAddress(this.peer, forwarded));
  }

  region(): string {
    const name = this.runtime?.service.regionHeader ?? null;
    if (name !== null) {
      const given = this.header(name);
      if (given !== undefined && given !== '') return given.toLowerCase();
    }
    return this.table.region;
  }
}
