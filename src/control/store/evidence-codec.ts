import { createHash } from 'node:crypto';
import type { Arm, KpiCount, Slice } from '../../core/judge/evidence.ts';
import type { CountedBlock, SavedJudge, SavedSide } from '../../core/judge/saved.ts';
import type { Codec, Damaged, Decoded } from './codec.ts';
import { readSaved, sparse, type WrittenArm } from './evidence-shape.ts';
import { object, ShapeError } from './shape.ts';

/**
 * An evidence file: a line `{format, version, service, revision, checksum}`, and the evidence as JSON in lines, one
 * for each slice and each block of feedback. The checksum is the SHA-256, in hex, of the first line without it and
 * of the SHA-256 of each other line, one after the other. So a line that has not changed since the last save is
 * neither written down nor hashed again. Apart from a rollout's state: this is large, is written often, and may be
 * lost.
 */
const FORMAT = 'coalmine-evidence';
const VERSION = 2;
/** The one before: the evidence in one line, and the checksum that of both as they are written. */
const IN_ONE_LINE = 1;
/** The first line of any file has room in this. */
const MAX_HEAD_BYTES = 65_536;
/** A rollout of days takes a tenth of it. */
export const MAX_EVIDENCE_BYTES = 4 * 1024 * 1024;

export const evidenceCodec: Codec<SavedJudge> = {
  what: 'the evidence',
  remedy: 'the evidence begins anew',
  headBytes: MAX_HEAD_BYTES,
  encode(service, saved, revision) {
    const head = { format: FORMAT, version: VERSION, service, revision };
    const lines = linesOf(saved);
    const length = lines.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (length > MAX_EVIDENCE_BYTES) throw new Error(`it is too large, ${length} bytes`);
    const checksum = checksumOf(
      head,
      lines.map(({ digest }) => digest),
    );
    const first = Buffer.from(JSON.stringify({ ...head, checksum }));
    return Buffer.concat([first, ...lines.flatMap(({ bytes }) => [LINE_BREAK, bytes])]);
  },
  decode(service, bytes) {
    try {
      return read(service, bytes);
    } catch (error) {
      return meaningless(error);
    }
  },
  revisionOf(service, bytes) {
    try {
      const { revision } = headOf(service, bytes);
      return { kind: 'found', revision };
    } catch (error) {
      return meaningless(error);
    }
  },
};

function meaningless(error: unknown): Damaged {
  if (error instanceof ShapeError) return damaged(`does not hold evidence: ${error.message}`);
  return damaged('cannot be made sense of');
}

interface Head {
  readonly format: string;
  readonly version: number;
  readonly service: string;
  readonly revision: number;
}

function read(service: string, bytes: Uint8Array): Decoded<SavedJudge> {
  if (bytes.length === 0) return damaged('is empty');
  const { checksum, end, ...head } = headOf(service, bytes);
  const rest = bytes.subarray(end + 1);
  const body = decodeText(rest);
  const wanted =
    head.version === IN_ONE_LINE
      ? sha256([`${JSON.stringify(head)}\n`, rest], 'hex')
      : checksumOf(head, digestsOf(rest));
  if (body === undefined || checksum !== wanted) {
    return damaged('was changed, damaged or cut short: its checksum is wrong');
  }
  return { kind: 'found', state: readSaved(JSON.parse(body), 'evidence'), revision: head.revision };
}

/** Throws a ShapeError where it is no first line of ours. */
function headOf(
  service: string,
  bytes: Uint8Array,
): Head & { readonly checksum: unknown; readonly end: number } {
  const end = bytes.subarray(0, MAX_HEAD_BYTES).indexOf(LINE_BREAK_BYTE);
  const line = end < 0 ? undefined : decodeText(bytes.subarray(0, end));
  const { format, version, service: whose, revision, checksum } = object(parse(line), 'its first line');
  if (format !== FORMAT) throw new ShapeError('its format', `“${FORMAT}”`);
  if (version !== VERSION && version !== IN_ONE_LINE) {
    throw new ShapeError(
      'its version',
      `${IN_ONE_LINE} or ${VERSION}, not ${JSON.stringify(version)}: another Coalmine wrote it`,
    );
  }
  if (whose !== service) throw new ShapeError('its service', JSON.stringify(service));
  if (typeof revision !== 'number' || !Number.isSafeInteger(revision) || revision < 1) {
    throw new ShapeError('its revision', 'a whole number of at least 1');
  }
  return { format, version, service, revision, checksum, end };
}

function parse(line: string | undefined): unknown {
  try {
    return line === undefined ? undefined : JSON.parse(line);
  } catch {
    return undefined;
  }
}

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function damaged(reason: string): Damaged {
  return { kind: 'damaged', reason };
}

function checksumOf(head: Head, digests: readonly string[]): string {
  return sha256([`${JSON.stringify(head)}\n`, Buffer.from(digests.join(''), 'latin1')], 'hex');
}

function sha256(parts: readonly (string | Uint8Array)[], as: 'hex' | 'binary'): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest(as);
}

function digestsOf(bytes: Uint8Array): readonly string[] {
  const digests: string[] = [];
  for (let from = 0; from <= bytes.length; ) {
    const at = bytes.indexOf(LINE_BREAK_BYTE, from);
    const end = at < 0 ? bytes.length : at;
    digests.push(sha256([bytes.subarray(from, end)], 'binary'));
    from = end + 1;
  }
  return digests;
}

const LINE_BREAK_BYTE = 0x0a;
const LINE_BREAK = Uint8Array.of(LINE_BREAK_BYTE);

interface Line {
  readonly bytes: Uint8Array;
  /** SHA-256, a character for each byte. */
  readonly digest: string;
}

function lineOf(text: string): Line {
  const bytes = Buffer.from(text);
  return { bytes, digest: sha256([bytes], 'binary') };
}

/** Of hundreds the newest change between two saves, and what has changed is another object. */
const known = new WeakMap<Slice | CountedBlock, Line>();

/** Items of a list in JSON. The last one has no comma, and is the one that changes. */
function itemLines<T extends Slice | CountedBlock>(
  items: readonly T[],
  textOf: (item: T) => string,
): readonly Line[] {
  return items.map((item, i) => {
    if (i === items.length - 1) return lineOf(textOf(item));
    let line = known.get(item);
    if (line === undefined) {
      line = lineOf(`${textOf(item)},`);
      known.set(item, line);
    }
    return line;
  });
}

function linesOf({ sides, counted, ...rest }: SavedJudge): readonly Line[] {
  return [
    lineOf('{"sides":['),
    ...sides.flatMap((side, i) => sideLines(side, i === sides.length - 1)),
    lineOf(`],${JSON.stringify(rest).slice(1, -1)},"counted":[`),
    ...itemLines(counted, ({ text }) => JSON.stringify(text)),
    lineOf(']}'),
  ];
}

function sideLines({ evidence, ...side }: SavedSide, isLast: boolean): readonly Line[] {
  const { slices, late, ...rest } = evidence;
  const written = late.map(({ w, canary, stable }) => ({ w, canary: pairs(canary), stable: pairs(stable) }));
  const more = JSON.stringify({ ...rest, late: written }).slice(1);
  return [
    lineOf('{"evidence":{"slices":['),
    ...itemLines(slices, sliceText),
    lineOf(`],${more},${JSON.stringify(side).slice(1)}${isLast ? '' : ','}`),
  ];
}

function sliceText({ stage, index, w, spanMs, canary, stable, passed }: Slice): string {
  const more = passed === undefined ? '' : `,${passed.canary},${passed.stable}`;
  return `[${stage},${index},${w},${spanMs},${armText(canary)},${armText(stable)}${more}]`;
}

/** An arm that changed is a new object, and of a slice one may have changed without the other. */
const armTexts = new WeakMap<Arm, string>();

function armText(arm: Arm): string {
  let text = armTexts.get(arm);
  if (text === undefined) {
    text = JSON.stringify(writtenArm(arm));
    armTexts.set(arm, text);
  }
  return text;
}

function writtenArm(arm: Arm): WrittenArm {
  const { requests, errors, firstErrors, keys, latency, scores, confidence } = arm;
  return {
    n: [requests, errors, firstErrors, keys],
    ...(latency.length > 0 ? { latency: sparse(latency) } : {}),
    ...(isEmpty(arm.firstSlow) ? {} : { slow: arm.firstSlow }),
    ...(isEmpty(arm.slowBursts) ? {} : { bursts: triples(arm.slowBursts) }),
    ...(isEmpty(arm.classes) ? {} : { classes: arm.classes }),
    ...(scores.length > 0 ? { scores: sparse(scores) } : {}),
    ...(confidence.length > 0 ? { confidence: sparse(confidence) } : {}),
    ...(isEmpty(arm.firstUnsure) ? {} : { unsure: arm.firstUnsure }),
    ...(isEmpty(arm.kpis) ? {} : { kpis: pairs(arm.kpis) }),
  };
}

function pairs(kpis: Readonly<Record<string, KpiCount>>): Record<string, readonly [number, number]> {
  return Object.fromEntries(
    Object.entries(kpis).map(([name, { events, firsts }]) => [name, [events, firsts] as const]),
  );
}

function triples(
  bursts: Arm['slowBursts'],
): Record<string, readonly [events: number, bursts: number, wide: number]> {
  return Object.fromEntries(
    Object.entries(bursts).map(([name, { events, bursts, wide }]) => [name, [events, bursts, wide] as const]),
  );
}

function isEmpty(counts: object): boolean {
  for (const _ in counts) return false;
  return true;
}
