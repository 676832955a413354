/** Seeded chance: the same seed gives the same figures on every machine. */

/** sfc32: 128 bits of state, passes PractRand; uniform in (0, 1). */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string) {
    let hash = 0x811c9dc5;
    const next = () => {
      for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193);
      return hash | 0;
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    for (let i = 0; i < 16; i++) this.uniform();
  }

  uniform(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    // Half a step up: the logarithm of a draw is always finite.
    return ((sum >>> 0) + 0.5) / 4294967296;
  }

  /** Exponential with mean 1. */
  exponential(): number {
    return -Math.log(this.uniform());
  }

  poisson(mean: number): number {
    return mean < 10 ? this.#smallPoisson(mean) : this.#largePoisson(mean);
  }

  /** Number of events that come with probability `p` each in `n` trials. */
  binomial(n: number, p: number): number {
    if (n <= 0 || p <= 0) return 0;
    if (p >= 1) return n;
    if (p > 0.5) return n - this.binomial(n, 1 - p);
    return n * p < 10 ? this.#rareBinomial(n, p) : this.#largeBinomial(n, p);
  }

  #smallPoisson(mean: number): number {
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = this.uniform(); product > limit; product *= this.uniform()) count++;
    return count;
  }

  /** W. Hörmann, The transformed rejection method for generating Poisson random variables, 1993: PTRS. */
  #largePoisson(mean: number): number {
    const b = 0.931 + 2.53 * Math.sqrt(mean);
    const a = -0.059 + 0.02483 * b;
    const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
    const accept = 0.9277 - 3.6224 / (b - 2);
    const logMean = Math.log(mean);
    for (;;) {
      const u = this.uniform() - 0.5;
      const v = this.uniform();
      const us = 0.5 - Math.abs(u);
      const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
      if (us >= 0.07 && v <= accept) return k;
      if (k < 0 || (us < 0.013 && v > us)) continue;
      const left = Math.log((v * inverseAlpha) / (a / (us * us) + b));
      if (left <= k * logMean - mean - logFactorial(k)) return k;
    }
  }

  /** Jumps from one event to the next: as many draws as there are events. */
  #rareBinomial(n: number, p: number): number {
    const logMiss = Math.log1p(-p);
    let at = 0;
    for (let count = 0; ; count++) {
      at += Math.floor(Math.log(this.uniform()) / logMiss) + 1;
      if (at > n) return count;
    }
  }

  /** W. Hörmann, The generation of binomial random variates, 1993: BTRS. */
  #largeBinomial(n: number, p: number): number {
    const deviation = Math.sqrt(n * p * (1 - p));
    const b = 1.15 + 2.53 * deviation;
    const a = -0.0873 + 0.0248 * b + 0.01 * p;
    const c = n * p + 0.5;
    const accept = 0.92 - 4.2 / b;
    const alpha = (2.83 + 5.1 / b) * deviation;
    const logOdds = Math.log(p / (1 - p));
    const mode = Math.floor((n + 1) * p);
    const height = logFactorial(mode) + logFactorial(n - mode);
    for (;;) {
      const u = this.uniform() - 0.5;
      const v = this.uniform();
      const us = 0.5 - Math.abs(u);
      const k = Math.floor(((2 * a) / us + b) * u + c);
      if (k < 0 || k > n) continue;
      if (us >= 0.07 && v <= accept) return k;
      const left = Math.log((v * alpha) / (a / (us * us) + b));
      if (left <= height - logFactorial(k) - logFactorial(n - k) + (k - mode) * logOdds) return k;
    }
  }
}

const EXACT: readonly number[] = Array.from({ length: 32 }).reduce<number[]>((sums, _, k) => {
  sums.push(k === 0 ? 0 : (sums[k - 1] ?? 0) + Math.log(k));
  return sums;
}, []);

function logFactorial(k: number): number {
  const exact = EXACT[k];
  if (exact !== undefined) return exact;
  const x = k + 1;
  return (x - 0.5) * Math.log(x) - x + 0.9189385332046727 + 1 / (12 * x) - 1 / (360 * x * x * x);
}

/** A choice among a few outcomes, made for drawing many at once. */
export class Law {
  readonly probabilities: readonly number[];
  /** Of each outcome, given that it is none of those before it. */
  readonly #conditional: readonly number[];
  readonly #own: Float64Array;
  readonly #alias: Int32Array;

  constructor(weights: readonly number[]) {
    const total = weights.reduce((sum, one) => sum + one, 0);
    this.probabilities = weights.map((one) => one / total);
    let left = 1;
    this.#conditional = this.probabilities.map((p) => {
      const share = left > 0 ? Math.min(1, p / left) : 1;
      left -= p;
      return share;
    });
    [this.#own, this.#alias] = aliasTable(this.probabilities);
  }

  /** One outcome (A. J. Walker's alias method). */
  draw(random: Random): number {
    const at = random.uniform() * this.#own.length;
    const column = Math.floor(at);
    return at - column < (this.#own[column] as number) ? column : (this.#alias[column] as number);
  }

  /** Adds `n` outcomes to `counts`. */
  scatter(random: Random, n: number, counts: number[]): void {
    if (n < 2 * counts.length) {
      for (let i = 0; i < n; i++) {
        const outcome = this.draw(random);
        counts[outcome] = (counts[outcome] as number) + 1;
      }
      return;
    }
    let left = n;
    for (let i = 0; left > 0 && i < counts.length; i++) {
      const here = random.binomial(left, this.#conditional[i] as number);
      counts[i] = (counts[i] as number) + here;
      left -= here;
    }
  }
}

function aliasTable(probabilities: readonly number[]): [Float64Array, Int32Array] {
  const size = probabilities.length;
  const own = Float64Array.from(probabilities, (p) => p * size);
  const alias = Int32Array.from({ length: size }, (_, i) => i);
  const small: number[] = [];
  const large: number[] = [];
  for (let i = 0; i < size; i++) ((own[i] as number) < 1 ? small : large).push(i);
  while (small.length > 0 && large.length > 0) {
    const low = small.pop() as number;
    const high = large.at(-1) as number;
    alias[low] = high;
    own[high] = (own[high] as number) - (1 - (own[low] as number));
    if ((own[high] as number) < 1) small.push(large.pop() as number);
  }
  // What rounding left over is whole.
  for (const i of [...small, ...large]) own[i] = 1;
  return [own, alias];
}
