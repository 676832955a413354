import type { BurstCount } from '../../core/judge/bursts.ts';
import {
  type Arm,
  armOf,
  type Evidence,
  type KpiCount,
  type LateKpis,
  type Slice,
} from '../../core/judge/evidence.ts';
import type {
  About,
  CountedBlock,
  SavedCourse,
  SavedJudge,
  SavedSide,
  SavedStop,
} from '../../core/judge/saved.ts';
import {
  count,
  finite,
  list,
  nullable,
  object,
  type Reader,
  record,
  ShapeError,
  text,
  whole,
  within,
} from './shape.ts';

/**
 * The shape of a service's evidence as it is written. Most counts of most slices are 0, so lists have `-n` for n
 * zeros on end, and what is empty is left out.
 */

/** Longer lists than any of an arm. */
const MAX_COUNTS = 4_096;

export interface WrittenArm {
  /** requests, errors, firstErrors, keys */
  readonly n: readonly number[];
  readonly latency?: readonly number[];
  readonly slow?: Readonly<Record<string, number>>;
  /** [events, bursts, wide] */
  readonly bursts?: Readonly<Record<string, readonly [events: number, bursts: number, wide: number]>>;
  readonly classes?: Readonly<Record<string, number>>;
  readonly scores?: readonly number[];
  readonly confidence?: readonly number[];
  readonly unsure?: Readonly<Record<string, number>>;
  readonly kpis?: Readonly<Record<string, readonly [events: number, firsts: number]>>;
}

/** Zeros on end as one negative number. */
export function sparse(counts: readonly number[]): number[] {
  const written: number[] = [];
  let zeros = 0;
  for (const n of counts) {
    if (n === 0) {
      zeros++;
      continue;
    }
    if (zeros > 0) written.push(-zeros);
    zeros = 0;
    written.push(n);
  }
  if (zeros > 0) written.push(-zeros);
  return written;
}

const entry: Reader<number> = whole(-MAX_COUNTS);

const counts: Reader<readonly number[]> = (value, at) => {
  const read: number[] = [];
  for (const n of list(entry)(value, at)) {
    if (n >= 0) read.push(n);
    else for (let i = 0; i < -n && read.length <= MAX_COUNTS; i++) read.push(0);
  }
  if (read.length > MAX_COUNTS) throw new ShapeError(at, `at most ${MAX_COUNTS} counts`);
  return read;
};

/** A record with names of its own. */
function named<T>(read: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return (value, at) => {
    const members = Object.entries(object(value, at));
    return Object.fromEntries(members.map(([name, member]) => [name, read(member, `${at}.${name}`)]));
  };
}

/** A list of so many things of different kinds. */
function parts(value: unknown, at: string, length: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length !== length) throw new ShapeError(at, `a list of ${length}`);
  return value;
}

const kpi: Reader<KpiCount> = (value, at) => {
  const [events, firsts] = parts(value, at, 2);
  return { events: count(events, `${at}[0]`), firsts: count(firsts, `${at}[1]`) };
};
const kpis = named(kpi);

const burst: Reader<BurstCount> = (value, at) => {
  const [events, bursts, wide] = parts(value, at, 3);
  return {
    events: count(events, `${at}[0]`),
    bursts: count(bursts, `${at}[1]`),
    wide: count(wide, `${at}[2]`),
  };
};

const FIELDS: { readonly [K in Exclude<keyof WrittenArm, 'n'>]-?: readonly [keyof Arm, Reader<unknown>] } = {
  latency: ['latency', counts],
  slow: ['firstSlow', named(count)],
  bursts: ['slowBursts', named(burst)],
  classes: ['classes', named(count)],
  scores: ['scores', counts],
  confidence: ['confidence', counts],
  unsure: ['firstUnsure', named(count)],
  kpis: ['kpis', kpis],
};

const arm: Reader<Arm> = (value, at) => {
  const { n, ...rest } = object(value, at);
  const [requests, errors, firstErrors, keys] = parts(n, `${at}.n`, 4).map((one, i) =>
    count(one, `${at}.n[${i}]`),
  );
  const read: Record<string, unknown> = { requests, errors, firstErrors, keys };
  for (const [name, member] of Object.entries(rest)) {
    if (!Object.hasOwn(FIELDS, name)) throw new ShapeError(`${at}.${name}`, 'left out: it is not known here');
    const [field, readMember] = FIELDS[name as keyof typeof FIELDS];
    read[field] = readMember(member, `${at}.${name}`);
  }
  return armOf(read);
};

const slice: Reader<Slice> = (value, at) => {
  const isLong = Array.isArray(value) && value.length === 8;
  const [stage, index, w, spanMs, canary, stable, ...passed] = parts(value, at, isLong ? 8 : 6);
  const [canaryPassed, stablePassed] = passed.map((n, i) => count(n, `${at}[${6 + i}]`));
  return {
    stage: whole(Number.MIN_SAFE_INTEGER)(stage, `${at}[0]`),
    index: count(index, `${at}[1]`),
    w: within(0, 1)(w, `${at}[2]`),
    spanMs: within(0, Number.MAX_VALUE)(spanMs, `${at}[3]`),
    canary: arm(canary, `${at}[4]`),
    stable: arm(stable, `${at}[5]`),
    ...(canaryPassed === undefined || stablePassed === undefined
      ? {}
      : { passed: { canary: canaryPassed, stable: stablePassed } }),
  };
};

const slices: Reader<readonly Slice[]> = (value, at) => {
  const read = list(slice)(value, at);
  for (let i = 1; i < read.length; i++) {
    const [before, after] = [read[i - 1] as Slice, read[i] as Slice];
    if (before.stage > after.stage || (before.stage === after.stage && before.index >= after.index)) {
      throw new ShapeError(`${at}[${i}]`, 'after the one before it, by stage and index');
    }
  }
  return read;
};

const late = record<LateKpis>({ w: within(0, 1), canary: kpis, stable: kpis });

const evidence = record<Evidence>({
  edgesMs: list(finite),
  slices,
  late: list(late),
  shadow: record({ agree: count, disagree: count, refused: count, incomparable: count }),
  problems: list(text),
});

const side = record<SavedSide>({
  variant: nullable(text),
  evidence,
  bins: nullable(list(count)),
  failed: list(text),
  notBeforeMs: finite,
});

const course = record<SavedCourse>({
  about: text,
  shares: named(within(0, 1)),
  firstStage: whole(Number.MIN_SAFE_INTEGER),
  elapsedMs: within(0, Number.MAX_VALUE),
  beganWallMs: finite,
  stops: named(record<SavedStop>({ at: text, because: text })),
  told: text,
});

/** One text in version 1, without any where there is nothing. */
const counted: Reader<readonly CountedBlock[]> = (value, at) => {
  const texts = typeof value === 'string' ? [value].filter((one) => one !== '') : list(text)(value, at);
  return texts.map((one) => ({ text: one }));
};

export const readSaved: Reader<SavedJudge> = record<SavedJudge>({
  about: record<About>({ epoch: text, beganWallMs: nullable(finite), question: text, versions: text }),
  frozen: named(within(0, Number.MAX_VALUE)),
  sides: list(side),
  course: nullable(course),
  counted,
});
