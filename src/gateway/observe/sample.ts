import { ARM, PAIR } from '../../core/arms.ts';
import type { Timing } from '../../core/observe/extract.ts';
import { redact } from '../../core/observe/redact.ts';
import { countArm, countObservations, countPair } from '../../tally/arms.ts';
import { type AnswerHead, Capture } from './capture.ts';
import type { Decoded } from './decode.ts';
import { compareParsed, observationsIn, type Parsed, parse } from './parse.ts';
import type { Readable } from './queue.ts';
import type { Watch } from './watch.ts';

/** The request that an answer is for. */
export interface SampleFacts {
  readonly version: number;
  /** Monotonic, ms: when the request began. */
  readonly startMs: number;
  /** 32 bits, or -1 for a request without a key. */
  readonly keyHash: number;
  readonly requestId: string;
  /** Whether it is one of the group under comparison, whose answers are counted by version. */
  readonly compared: boolean;
}

/**
 * `alone`: no shadow is compared. `unsent`: the copy was never sent. `silent`: it
 * got no answer. `refused`: its answer was no 2xx.
 */
type Shadow = 'alone' | 'open' | 'unsent' | 'silent' | 'refused' | 'answered';

/** A latency difference counts as one from here on: the longer time in relation to the other. */
const CLEARLY = 1.1;

/**
 * One request chosen for reading: the client's answer and, for a mirrored one, the
 * shadow's. It is read once both are over, and counted exactly once.
 */
export class Sample implements Readable {
  readonly #watch: Watch;
  readonly #facts: SampleFacts;
  #client: Capture | null = null;
  #clientOver = false;
  #clientHeadMs = 0;
  #shadow: Capture | null = null;
  #shadowSide: Shadow = 'alone';
  #shadowStartMs = 0;
  #shadowHeadMs = 0;
  #counted = false;
  #paired = false;

  constructor(watch: Watch, facts: SampleFacts) {
    this.#watch = watch;
    this.#facts = facts;
  }

  /** The client's head went out. Null where the budgets do not allow to read it. */
  openClient(head: AnswerHead, headMs: number): Capture | null {
    const { queue, spec, clock } = this.#watch;
    if (!this.#watch.admit(headMs)) {
      this.#count(ARM.shed);
      this.dropClient();
      return null;
    }
    this.#clientHeadMs = headMs;
    this.#client = new Capture(queue.memory, spec.maxBytes, head, () => clock.nowMs());
    return this.#client;
  }

  /** The client's answer was handed over whole. */
  endClient(): void {
    if (this.#clientOver) return;
    this.#clientOver = true;
    this.#client?.end();
    this.#conclude();
  }

  /** The client's answer is none to be read, or was broken off. */
  dropClient(): void {
    if (this.#clientOver) return;
    this.#clientOver = true;
    this.#client?.release();
    this.#client = null;
    this.#conclude();
  }

  /** A copy is to be sent to the shadow; `endShadow` follows. */
  awaitShadow(): void {
    this.#shadowSide = 'open';
  }

  startShadow(startMs: number): void {
    this.#shadowStartMs = startMs;
  }

  openShadow(head: AnswerHead, headMs: number): Capture {
    const { queue, spec, clock } = this.#watch;
    this.#shadowHeadMs = headMs;
    this.#shadow = new Capture(queue.memory, spec.maxBytes, head, () => clock.nowMs());
    return this.#shadow;
  }

  endShadow(side: Exclude<Shadow, 'alone' | 'open'>): void {
    if (this.#shadowSide !== 'open') return;
    this.#shadowSide = side;
    if (side === 'answered') this.#shadow?.end();
    else {
      this.#shadow?.release();
      this.#shadow = null;
    }
    this.#conclude();
  }

  get captures(): readonly Capture[] {
    return [this.#client, this.#shadow].filter(
      (capture): capture is Capture => capture !== null && capture.state === 'whole',
    );
  }

  get maxBytes(): number {
    return this.#watch.spec.maxBytes;
  }

  mayRead(nowMs: number): boolean {
    return this.#watch.mayRead(nowMs);
  }

  charge(ms: number): void {
    this.#watch.charge(ms);
  }

  /** Both sides are over. */
  #conclude(): void {
    if (!this.#clientOver || this.#shadowSide === 'open') return;
    const client = this.#client;
    if (client === null) return this.#release();
    if (client.state === 'whole') return this.#watch.queue.submit(this);
    if (client.state === 'shed') return this.shed();
    this.#count(ARM.tooLarge);
    this.#compare(TOO_LARGE, TOO_LARGE, 0);
    this.#release();
  }

  shed(): void {
    this.#count(ARM.shed);
    this.#release();
  }

  fail(): void {
    this.#count(ARM.unreadable);
    if (this.#shadowSide !== 'alone') this.#pair(PAIR.incomparable);
    this.#release();
  }

  read([client = UNDECODED, shadow = UNDECODED]: readonly Decoded[]): void {
    const type = this.#client?.head.type ?? '';
    const answered = this.#shadow;
    const shadowState = answered?.state ?? 'released';
    // Held no longer, whatever the reading runs into.
    this.#release();
    const said = parse(client, type);
    if (this.#facts.compared) this.#observe(said);
    if (shadowState === 'shed') return;
    const other = shadowState === 'too_large' ? TOO_LARGE : parse(shadow, answered?.head.type ?? '');
    this.#compare(said, other, bytesOf(client) + bytesOf(shadow));
  }

  #observe(said: Parsed): void {
    const { arms, spec } = this.#watch;
    if (said.kind === 'too_large') return this.#count(ARM.tooLarge);
    const observations = observationsIn(spec, said, this.#timing());
    if (observations.length === 0) return this.#count(ARM.unreadable);
    this.#count(ARM.observed);
    countObservations(arms, this.#facts.version, this.#facts.keyHash, observations);
  }

  #timing(): Timing | null {
    const { startMs } = this.#facts;
    const client = this.#client;
    if (client === null || client.firstMs < 0) return null;
    return { ttfbMs: client.firstMs - startMs, durationMs: client.endMs - startMs };
  }

  /** What of a sample became of it. */
  #count(outcome: number): void {
    const { version, compared } = this.#facts;
    if (!compared || this.#counted) return;
    this.#counted = true;
    countArm(this.#watch.arms, version, ARM.sampled);
    countArm(this.#watch.arms, version, outcome);
  }

  #compare(client: Parsed, shadow: Parsed, bytes: number): void {
    const side = this.#shadowSide;
    if (side === 'alone' || side === 'unsent') return;
    // What the client got an answer to and the shadow refused is no agreement.
    if (side === 'refused') {
      if (!this.#paired) countPair(this.#watch.arms, PAIR.refused);
      return this.#pair(PAIR.disagree);
    }
    if (side === 'answered') this.#compareTimes();
    const { spec } = this.#watch;
    const unable = side === 'silent' || spec.pairs === null;
    const said = unable ? 'incomparable' : compareParsed(spec, spec.pairs, client, shadow);
    this.#pair(PAIR[said]);
    if (said === 'disagree' && client.kind === 'json' && shadow.kind === 'json') {
      this.#keep(client.value, shadow.value, bytes);
    }
  }

  #pair(outcome: number): void {
    if (this.#paired || this.#shadowSide === 'unsent') return;
    this.#paired = true;
    countPair(this.#watch.arms, outcome);
  }

  /** Both from when the copy was sent, which is when the client's request was sent whole. */
  #compareTimes(): void {
    const clientMs = this.#clientHeadMs - this.#shadowStartMs;
    const shadowMs = this.#shadowHeadMs - this.#shadowStartMs;
    if (clientMs <= 0) return;
    const isSlower = shadowMs > clientMs * CLEARLY;
    const isFaster = clientMs > shadowMs * CLEARLY;
    countPair(this.#watch.arms, isSlower ? PAIR.slower : isFaster ? PAIR.faster : PAIR.alike);
  }

  #keep(client: unknown, shadow: unknown, bytes: number): void {
    const { spec, state, clock, versions, shadow: shadowVersion } = this.#watch;
    const pairs = spec.pairs;
    if (pairs === null || pairs.keep === 0) return;
    const { version, requestId } = this.#facts;
    const pair = {
      atMs: clock.wallMs(),
      requestId,
      clientVersion: versions[version] ?? '',
      shadowVersion,
      client: redact(client, pairs.redact),
      shadow: redact(shadow, pairs.redact),
    };
    state.kept.add(pair, bytes, pairs.keep);
  }

  #release(): void {
    this.#client?.release();
    this.#shadow?.release();
  }
}

const UNDECODED: Decoded = { kind: 'unreadable' };
const TOO_LARGE: Parsed = { kind: 'too_large' };

function bytesOf(decoded: Decoded): number {
  return decoded.kind === 'bytes' ? decoded.bytes.length : 0;
}
