/**
 * Slow answers of one process come together: while it collects garbage or waits for a disk, everything it was asked
 * is late at once. Two versions that are alike stall alike, and yet whoever counts answers one by one takes the first
 * stall of a canary's only process for proof. So what comes in bursts is told apart from what comes one by one.
 */
export interface BurstCount {
  /** Events that came in bursts. */
  readonly events: number;
  readonly bursts: number;
  /** Bursts in which a good part of all that was answered was late: of a process that has much of the arm's traffic. */
  readonly wide: number;
}

export const NO_BURST: BurstCount = Object.freeze({ events: 0, bursts: 0, wide: 0 });

/** From one look to the next, about. */
const LOOK_MS = 1_000;
/** So long before and after a look it is seen how often events come; whatever lasts longer is no burst. */
const AROUND_MS = 5_000;
/** As many events as in a look, or more, come by chance so seldom, if they are a burst. */
const CHANCE = 0.005;
/** Where nothing is seen around a look: half an event in as many looks as are around it. */
const SUPPOSED = (0.5 * LOOK_MS) / (2 * AROUND_MS);
/** So much of a look's answers late makes a burst wide. */
const WIDE = 0.1;
/** More looks than there are around one that is not decided yet. */
const MOST = 32;

/** What was counted from one look to the next. */
interface Beat {
  readonly atMs: number;
  readonly requests: number;
  readonly events: number;
}

/** Tells bursts of one kind of event of one arm, look by look; what is young is told provisionally. */
export class BurstMeter {
  readonly #beats: Beat[] = [];
  /** Those before it are decided, and there for their neighbours. */
  #open = 0;
  #told = NO_BURST;
  /** When the last burst began. What comes later than AROUND_MS after that is another one, however close to its end. */
  #beganMs = Number.NEGATIVE_INFINITY;

  /** What was counted since the look before; looks come about once a second, in their order. */
  add(beat: Beat): void {
    this.#beats.push(beat);
    while (this.#open < this.#beats.length - 1) {
      const first = this.#beats[this.#open]!;
      const isOver = beat.atMs - first.atMs > AROUND_MS || this.#beats.length > MOST;
      if (!isOver) break;
      this.#decide(this.#open++, beat.atMs);
    }
    const fromMs = this.#beats[this.#open]!.atMs - AROUND_MS;
    while (this.#open > 0 && (this.#beats[0]!.atMs < fromMs || this.#beats.length > 2 * MOST)) {
      this.#beats.shift();
      this.#open--;
    }
  }

  /** Since the last `restart`. */
  get count(): BurstCount {
    const nowMs = this.#beats.at(-1)?.atMs ?? 0;
    let told = this.#told;
    let beganMs = this.#beganMs;
    for (let i = this.#open; i < this.#beats.length; i++) {
      const beat = this.#beats[i]!;
      if (!this.#isBurst(i, nowMs)) continue;
      const begins = beat.atMs - beganMs > AROUND_MS;
      told = withBurst(told, beat, begins);
      if (begins) beganMs = beat.atMs;
    }
    return told;
  }

  /** Counts from here on; what is told up to now stays as it is. */
  restart(): void {
    const nowMs = this.#beats.at(-1)?.atMs ?? 0;
    while (this.#open < this.#beats.length) this.#decide(this.#open++, nowMs);
    this.#told = NO_BURST;
  }

  #decide(i: number, nowMs: number): void {
    const beat = this.#beats[i]!;
    if (!this.#isBurst(i, nowMs)) return;
    const begins = beat.atMs - this.#beganMs > AROUND_MS;
    this.#told = withBurst(this.#told, beat, begins);
    if (begins) this.#beganMs = beat.atMs;
  }

  #isBurst(i: number, nowMs: number): boolean {
    const beat = this.#beats[i]!;
    if (beat.events < 2) return false;
    const before = this.#around(i, -1);
    const after = this.#around(i, 1);
    // Until so much time has passed, what is to come counts as if nothing would.
    const passes = nowMs - beat.atMs < AROUND_MS ? beat.requests * (AROUND_MS / LOOK_MS - 1) : 0;
    const rate = Math.max(
      before.requests === 0 ? 0 : before.events / before.requests,
      after.events === 0 ? 0 : after.events / Math.max(after.requests, passes),
      this.#lasting(i, -1),
      this.#lasting(i, 1),
    );
    return poissonTail(beat.events, Math.max(SUPPOSED, rate * beat.requests)) < CHANCE;
  }

  /** The lesser rate of the next two looks: a stall is over within two, and this would be the third. */
  #lasting(i: number, step: 1 | -1): number {
    const one = this.#beats[i + step];
    const two = this.#beats[i + 2 * step];
    if (one === undefined || two === undefined) return 0;
    if (Math.abs(two.atMs - this.#beats[i]!.atMs) > AROUND_MS) return 0;
    return Math.min(one.events / one.requests, two.events / two.requests);
  }

  /** Without the look that has most of them: another burst explains nothing. */
  #around(i: number, step: 1 | -1): { requests: number; events: number } {
    const { atMs } = this.#beats[i]!;
    const sum = { requests: 0, events: 0 };
    let most: Beat | null = null;
    for (let j = i + step; j >= 0 && j < this.#beats.length; j += step) {
      const beat = this.#beats[j]!;
      if (Math.abs(beat.atMs - atMs) > AROUND_MS) break;
      sum.requests += beat.requests;
      sum.events += beat.events;
      if (most === null || beat.events > most.events) most = beat;
    }
    sum.requests -= most?.requests ?? 0;
    sum.events -= most?.events ?? 0;
    return sum;
  }
}

/** @param begins whether it is another one than the last */
function withBurst(told: BurstCount, { events, requests }: Beat, begins: boolean): BurstCount {
  return {
    events: told.events + events,
    bursts: told.bursts + (begins ? 1 : 0),
    wide: told.wide + (begins && events >= WIDE * requests ? 1 : 0),
  };
}

/** Beyond it Mills' bound of the normal law is as good. */
const LARGE = 500;

/** Probability of `k` or more events where `mean` are expected; at or below the mean 1 is said. */
export function poissonTail(k: number, mean: number): number {
  if (k <= mean) return 1;
  if (mean > LARGE) {
    const z = (k - 0.5 - mean) / Math.sqrt(mean);
    return z <= 1 ? 1 : Math.exp(-(z * z) / 2) / (z * Math.sqrt(2 * Math.PI));
  }
  let term = Math.exp(-mean);
  let below = 0;
  for (let i = 0; i < k && term > 0; i++) {
    below += term;
    term *= mean / (i + 1);
  }
  return Math.max(0, 1 - below);
}
