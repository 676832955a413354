import { FLOWERS, type Flower, LABELS } from './iris-data.ts';
import { seededRandom } from './random.ts';

/** Who comes, when and with what: the whole behaviour of the crowd, decided by a seed alone. */
export interface VisitPlan {
  /** Mean arrivals a second; they come independently of each other (a Poisson process). */
  readonly ratePerS: number;
  readonly users: number;
  /** Share (0..1) of the users who send no user id. */
  readonly anonymousShare: number;
  readonly seed: number;
}

export interface Visit {
  /** Time since the visit before, in milliseconds. */
  readonly gapMs: number;
  /** 0..users-1. */
  readonly user: number;
  /** What the user sends as x-user-id; null: nothing, an anonymous user. */
  readonly userId: string | null;
  readonly flower: Flower;
  /** The flower's true species, as an index into SPECIES. */
  readonly label: number;
}

/** How exactly people measure petals: the standard deviation of their error. */
const MEASUREMENT_ERROR_CM = 0.1;

/** Without end. */
export function* visits(plan: VisitPlan): Generator<Visit, never> {
  const random = seededRandom(plan.seed);
  const anonymous = Math.round(plan.users * plan.anonymousShare);
  while (true) {
    const user = Math.floor(random() * plan.users);
    const row = Math.floor(random() * FLOWERS.length);
    yield {
      gapMs: (-Math.log(1 - random()) / plan.ratePerS) * 1000,
      user,
      userId: user < anonymous ? null : `user-${user}`,
      flower: FLOWERS[row]!.map((cm) => measured(cm, random)),
      label: LABELS[row]!,
    };
  }
}

/** Read off a ruler: to the millimetre, and never nothing. */
function measured(cm: number, random: () => number): number {
  const error = MEASUREMENT_ERROR_CM * normal(random);
  return Math.max(1, Math.round((cm + error) * 10)) / 10;
}

/** Standard normal (G. E. P. Box, M. E. Muller, 1958). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
