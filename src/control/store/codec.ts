import { createHash } from 'node:crypto';
import type { RolloutState } from '../../core/rollout/state.ts';
import { MAX_STATE_BYTES } from './disk.ts';
import { object, ShapeError } from './shape.ts';
import { readState } from './state-shape.ts';

/**
 * The text of a state file: one JSON object
 * `{format, version, service, revision, checksum, state}`. The checksum is the
 * SHA-256, in hex, of the canonical JSON of all the others, so that neither a
 * flipped digit in the state nor one in the revision is taken for true, while the
 * file may be indented or its keys sorted.
 */
export const FORMAT = 'coalmine-rollout';
export const VERSION = 2;
/** The one before, without verdicts. */
const WITHOUT_VERDICTS = 1;

export type Decoded<T = RolloutState> =
  | { readonly kind: 'found'; readonly state: T; readonly revision: number }
  | { readonly kind: 'damaged'; readonly reason: string };

/** How the records of a store are written. */
export interface Codec<T> {
  /** What they are, in words: `the rollout`. */
  readonly what: string;
  /** What is to be done about one that cannot be used, in words. */
  readonly remedy: string;
  encode(service: string, state: T, revision: number): string | Uint8Array;
  /** Never throws. */
  decode(service: string, bytes: Uint8Array): Decoded<T>;
  /** So many bytes of the beginning are enough for `revisionOf`. */
  readonly headBytes: number;
  /** As `decode`, but no more than a save must know. */
  revisionOf(service: string, bytes: Uint8Array): Revision | Damaged;
}

export type Revision = Pick<Extract<Decoded, { kind: 'found' }>, 'kind' | 'revision'>;
export type Damaged = Extract<Decoded, { kind: 'damaged' }>;

/** Throws a ShapeError where the state is none: what could not be read back is not written. */
export function encode(service: string, state: RolloutState, revision: number): string {
  const checked = readState(state, 'state');
  if (checked.service !== service) throw new ShapeError('state.service', service);
  const body = { format: FORMAT, version: VERSION, service, revision, state: checked };
  // Without a line break at the end every cut shows: no part of the text is JSON.
  return JSON.stringify({ ...body, checksum: checksumOf(body) });
}

/** Never throws. */
export function decode(service: string, bytes: Uint8Array): Decoded {
  try {
    return read(service, bytes);
  } catch (error) {
    if (error instanceof ShapeError) return damaged(`does not hold a rollout's state: ${error.message}`);
    // Such as nesting beyond the stack.
    return damaged('cannot be made sense of');
  }
}

function read(service: string, bytes: Uint8Array): Decoded {
  if (bytes.length === 0) return damaged('is empty');
  const parsed = parse(bytes);
  if (parsed === undefined) return damaged('is not JSON, or was cut short');
  const { checksum, ...body } = object(parsed, 'the file');
  if (body.format !== FORMAT) return damaged(`is no state file: its format is not “${FORMAT}”`);
  if (typeof body.version === 'number' && body.version > VERSION) {
    return damaged(`was written by a newer Coalmine (version ${body.version}; this one reads ${VERSION})`);
  }
  if (body.version !== VERSION && body.version !== WITHOUT_VERDICTS) {
    return damaged(`has a version that is not known: ${WITHOUT_VERDICTS} and ${VERSION} are`);
  }
  if (checksum !== checksumOf(body)) return damaged('was changed or damaged: its checksum is wrong');
  if (body.service !== service) {
    return damaged(`belongs to another service, ${JSON.stringify(body.service) ?? 'without a name'}`);
  }
  const { revision } = body;
  if (typeof revision !== 'number' || !Number.isSafeInteger(revision) || revision < 1) {
    return damaged('has no valid revision');
  }
  const written = body.version === VERSION ? body.state : { ...object(body.state, 'state'), verdict: null };
  const state = readState(written, 'state');
  if (state.service !== service) return damaged('holds the state of another service');
  return { kind: 'found', state, revision };
}

export const rolloutCodec: Codec<RolloutState> = {
  what: 'the rollout',
  remedy: 'move it away to begin anew',
  encode,
  decode,
  headBytes: MAX_STATE_BYTES,
  revisionOf: decode,
};

function damaged(reason: string): Damaged {
  return { kind: 'damaged', reason };
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function checksumOf(body: Readonly<Record<string, unknown>>): string {
  return createHash('sha256').update(canonical(body)).digest('hex');
}

/** JSON without spaces, keys sorted at every level. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
  return `{${members.join(',')}}`;
}
