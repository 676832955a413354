/** Chance for a play: everything is drawn from one sequence, so that equal seeds give equal plays. */

/** Uniform in [0, 1), the same sequence for the same seed (mulberry32, period 2^32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Means above this are drawn from the normal distribution, which is close enough there and takes two numbers. */
const NORMAL_FROM = 30;

/** How many of events that come at random there are where `mean` are expected. */
export function poisson(mean: number, random: () => number): number {
  if (mean <= 0) return 0;
  if (mean > NORMAL_FROM) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  // Knuth: as many as their product of uniforms stays above e^-mean.
  const floor = Math.exp(-mean);
  let drawn = 0;
  for (let product = random(); product > floor; product *= random()) drawn++;
  return drawn;
}

/** How many of `trials` succeed where each does with probability `share`. */
export function binomial(trials: number, share: number, random: () => number): number {
  if (trials <= 0 || share <= 0) return 0;
  if (share >= 1) return trials;
  if (share > 0.5) return trials - binomial(trials, 1 - share, random);
  const mean = trials * share;
  if (mean <= NORMAL_FROM) return fewOf(trials, share, random);
  const drawn = Math.round(mean + Math.sqrt(mean * (1 - share)) * normal(random));
  return Math.min(trials, Math.max(0, drawn));
}

/** By the gaps between successes, which are geometric: takes as many numbers as there are successes. */
function fewOf(trials: number, share: number, random: () => number): number {
  const scale = Math.log1p(-share);
  let successes = 0;
  let at = 0;
  for (;;) {
    at += Math.floor(Math.log(1 - random()) / scale) + 1;
    if (at > trials) return successes;
    successes++;
  }
}

/** Box and Muller (1958). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
