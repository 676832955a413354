import { createHash } from 'node:crypto';
import type { Arm, Evidence, KpiCount, Slice } from '../../core/judge/evidence.ts';
import type { SavedJudge, SavedSide } from '../../core/judge/saved.ts';
import type { Codec, Damaged, Decoded } from './codec.ts';
import { readSaved, sparse, type WrittenArm } from './evidence-shape.ts';
import { object, ShapeError } from './shape.ts';

/**
 * The text of an evidence file: a line `{format, version, service, revision, checksum}`, and a line with the
 * evidence. The checksum is the SHA-256, in hex, of the first line without it and of the second as they are
 * written. Apart from a rollout's state: this is large, is written often, and may be lost.
 */
const FORMAT = 'coalmine-evidence';
const VERSION = 1;
/** The first line of any file has room in this. */
const MAX_HEAD_BYTES = 65_536;
/** A rollout of days takes a tenth of it. */
export const MAX_EVIDENCE_CHARS = 4 * 1024 * 1024;

export const evidenceCodec: Codec<SavedJudge> = {
  what: 'the evidence',
  remedy: 'the evidence begins anew',
  encode(service, saved, revision) {
    const head = { format: FORMAT, version: VERSION, service, revision };
    const body = textOf(saved);
    if (body.length > MAX_EVIDENCE_CHARS) throw new Error(`it is too large, ${body.length} characters`);
    return `${JSON.stringify({ ...head, checksum: checksumOf(head, body) })}\n${body}`;
  },
  decode(service, bytes) {
    try {
      return read(service, bytes);
    } catch (error) {
      if (error instanceof ShapeError) return damaged(`does not hold evidence: ${error.message}`);
      return damaged('cannot be made sense of');
    }
  },
  revisionOf(service, bytes) {
    try {
      const { revision } = headOf(service, bytes);
      return { kind: 'found', revision };
    } catch (error) {
      return damaged(error instanceof ShapeError ? error.message : 'cannot be made sense of');
    }
  },
};

interface Head {
  readonly format: string;
  readonly version: number;
  readonly service: string;
  readonly revision: number;
}

function read(service: string, bytes: Uint8Array): Decoded<SavedJudge> {
  if (bytes.length === 0) return damaged('is empty');
  const { checksum, end, ...head } = headOf(service, bytes);
  const body = decodeText(bytes.subarray(end + 1));
  if (body === undefined || checksum !== checksumOf(head, body)) {
    return damaged('was changed, damaged or cut short: its checksum is wrong');
  }
  return { kind: 'found', state: readSaved(JSON.parse(body), 'evidence'), revision: head.revision };
}

/** Throws a ShapeError where it is no first line of ours. */
function headOf(
  service: string,
  bytes: Uint8Array,
): Head & { readonly checksum: unknown; readonly end: number } {
  const end = bytes.subarray(0, MAX_HEAD_BYTES).indexOf(0x0a);
  const line = end < 0 ? undefined : decodeText(bytes.subarray(0, end));
  const { format, version, service: whose, revision, checksum } = object(parse(line), 'its first line');
  if (format !== FORMAT) throw new ShapeError('its format', `“${FORMAT}”`);
  if (version !== VERSION) {
    throw new ShapeError(
      'its version',
      `${VERSION}, not ${JSON.stringify(version)}: another Coalmine wrote it`,
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

function checksumOf(head: Head, body: string): string {
  return createHash('sha256')
    .update(`${JSON.stringify(head)}\n`)
    .update(body)
    .digest('hex');
}

function textOf({ sides, counted, ...rest }: SavedJudge): string {
  const written = { ...rest, counted: counted.map(({ text }) => text).join('') };
  return `{"sides":[${sides.map(sideText).join()}],${JSON.stringify(written).slice(1)}`;
}

function sideText({ evidence, ...rest }: SavedSide): string {
  return `{"evidence":${evidenceText(evidence)},${JSON.stringify(rest).slice(1)}`;
}

function evidenceText({ slices, late, ...rest }: Evidence): string {
  const written = late.map(({ w, canary, stable }) => ({ w, canary: pairs(canary), stable: pairs(stable) }));
  return `{"slices":[${slices.map(sliceText).join()}],${JSON.stringify({ ...rest, late: written }).slice(1)}`;
}

function sliceText({ stage, index, w, spanMs, canary, stable, passed }: Slice): string {
  const more = passed === undefined ? '' : `,${passed.canary},${passed.stable}`;
  return `[${stage},${index},${w},${spanMs},${armText(canary)},${armText(stable)}${more}]`;
}

/** Of hundreds of slices the newest ones change between two saves, and an arm that changed is a new object. */
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

function isEmpty(counts: object): boolean {
  for (const _ in counts) return false;
  return true;
}
