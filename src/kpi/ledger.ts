import { LRUCache } from 'lru-cache';
import type { CountedBlock } from '../core/judge/saved.ts';
import { fnv1a32 } from '../core/split/hash.ts';
import { type Feedback, feedbackOf } from './feedback.ts';
import { Firsts, type FirstsPlace } from './firsts.ts';
import { type Forgotten, Recents, readCounted } from './recent.ts';
import { type Prediction, verifyPrediction } from './token.ts';

/** What became of one piece of feedback. */
export const FEEDBACK_OUTCOMES = [
  'accepted',
  'duplicate',
  'forged',
  'expired',
  'malformed',
  'unknown_kpi',
  /** Nobody is known by that service and key, or what served is not compared here. */
  'unresolved',
] as const;
export type FeedbackOutcome = (typeof FEEDBACK_OUTCOMES)[number];

/** One accepted piece of feedback, to be added to the counts. */
export interface KpiAdd extends Place {
  readonly service: string;
  readonly version: string;
  readonly kpi: string;
  /** The value is above 0; otherwise it is only known that there was no event. */
  readonly event: boolean;
  /** The user's first event of this KPI in this place; of requests without a key each is. */
  readonly first: boolean;
}

/** Where in the evidence something belongs. */
export interface Place {
  /** Under which the request was assigned; see `termsOf`. */
  readonly terms: string;
  /** Users are told apart within one. */
  readonly place: string;
}

export interface Taken {
  /** Item by item of the batch. */
  readonly outcomes: readonly FeedbackOutcome[];
  readonly counts: Readonly<Record<FeedbackOutcome, number>>;
  readonly adds: readonly KpiAdd[];
}

/** What the config in force says of feedback. */
export interface FeedbackTerms {
  readonly secret: string;
  readonly expiresS: number;
  /** Whether this service counts this KPI. */
  knows(service: string, kpi: string): boolean;
  /** Where a prediction belongs; null: what served then is not compared here. */
  placeOf(prediction: Prediction): string | null;
  /** Who serves a sticky key now; null: nobody can tell. */
  resolve(service: string, key: string): Resolved | null;
}

export interface Resolved extends Place {
  readonly version: string;
  /** 32 bits of the key's hash, as in predictions. */
  readonly keyHash: number;
}

export interface LedgerLimits {
  /** Pairs of prediction and KPI that are remembered as counted, the latest ones. */
  readonly counted: number;
  /** (service, place, KPI) whose users are told apart, and users in each. */
  readonly books: number;
  readonly keys: number;
}

const LIMITS: LedgerLimits = { counted: 250_000, books: 64, keys: 100_000 };

/**
 * The bookkeeping of feedback. A prediction's event of a KPI counts once; one
 * without an event may still become one. Feedback by key does not say which of the
 * user's requests it is about, so it counts once for a user, place and KPI.
 * Bounded, and kept over reloads: the terms are asked for with each batch.
 */
export class Ledger {
  readonly #terms: () => FeedbackTerms;
  /** By prediction and KPI: whether an event was counted. */
  readonly #counted: LRUCache<number, boolean>;
  readonly #firsts: Firsts;
  /** The latest of those by service, for the process after this one. */
  readonly #recent: Recents;

  constructor(terms: () => FeedbackTerms, limits: Partial<LedgerLimits> = {}) {
    const { counted, books, keys } = { ...LIMITS, ...limits };
    this.#terms = terms;
    this.#counted = new LRUCache({ max: counted });
    this.#firsts = new Firsts(books, keys);
    // Of more than it remembers itself it need not tell.
    this.#recent = new Recents({ total: counted });
  }

  /**
   * @param batch items `{id, kpi, value}` or `{service, key, kpi, value}`, not yet checked
   * @param nowS wall clock
   */
  take(batch: readonly unknown[], nowS: number): Taken {
    const terms = this.#terms();
    const counts = noCounts();
    const adds: KpiAdd[] = [];
    const outcomes = batch.map((raw) => {
      const taken = this.#takeOne(terms, raw, nowS);
      const outcome = typeof taken === 'string' ? taken : 'accepted';
      if (typeof taken !== 'string') adds.push(taken);
      counts[outcome]++;
      return outcome;
    });
    return { outcomes, counts, adds };
  }

  /** Where users are no longer told apart, so that `first` is not complete. */
  capped(): readonly FirstsPlace[] {
    return this.#firsts.capped();
  }

  /** What was counted last of a service, for `recall`. */
  counted(service: string): readonly CountedBlock[] {
    return this.#recent.blocks(service);
  }

  /** How many pieces `counted` no longer tells of, for newer ones took their place. */
  forgotten(): Forgotten {
    return this.#recent.forgotten();
  }

  /** What an earlier process had counted of a service does not count again. */
  recall(service: string, blocks: readonly CountedBlock[]): void {
    for (const { slot, event } of readCounted(blocks)) {
      // What came since then knows better.
      if (this.#counted.get(slot) !== true) this.#note(service, slot, event);
    }
  }

  /** Nobody asks for what was counted of this service any more. */
  forget(service: string): void {
    this.#recent.forget(service);
  }

  #note(service: string, slot: number, event: boolean): void {
    this.#recent.add(service, slot, event);
    this.#counted.set(slot, event);
  }

  #isCounted(slot: number, event: boolean): boolean {
    const counted = this.#counted.get(slot);
    return counted === true || counted === event;
  }

  #takeOne(terms: FeedbackTerms, raw: unknown, nowS: number): KpiAdd | Refusal {
    const feedback = feedbackOf(raw);
    if (feedback === null) return 'malformed';
    return feedback.by === 'id' ? this.#takeById(terms, feedback, nowS) : this.#takeByKey(terms, feedback);
  }

  #takeById(terms: FeedbackTerms, feedback: ById, nowS: number): KpiAdd | Refusal {
    const { id, kpi, value } = feedback;
    const verified = verifyPrediction(terms.secret, id, nowS, terms.expiresS);
    if (!verified.ok) return verified.reason;
    const { service, version, terms: under, keyHash } = verified.prediction;
    if (!terms.knows(service, kpi)) return 'unknown_kpi';
    const event = value > 0;
    const slot = slotOf(verified.fingerprint, kpi);
    if (this.#isCounted(slot, event)) return 'duplicate';
    // What is refused is not used up: it may be compared again, or elsewhere.
    const place = terms.placeOf(verified.prediction);
    if (place === null) return 'unresolved';
    // Whoever is asked for the first place of a service may have recalled what was counted before a restart.
    if (this.#isCounted(slot, event)) return 'duplicate';
    this.#note(service, slot, event);
    const first = event && (keyHash < 0 || this.#firsts.add({ service, place, kpi }, keyHash));
    return { service, terms: under, place, version, kpi, event, first };
  }

  #takeByKey(terms: FeedbackTerms, { service, key, kpi, value }: ByKey): KpiAdd | Refusal {
    if (!terms.knows(service, kpi)) return 'unknown_kpi';
    const resolved = terms.resolve(service, key);
    if (resolved === null) return 'unresolved';
    const { version, terms: under, place, keyHash } = resolved;
    const event = value > 0;
    if (event && !this.#firsts.add({ service, place, kpi }, keyHash)) return 'duplicate';
    return { service, terms: under, place, version, kpi, event, first: event };
  }
}

type ById = Extract<Feedback, { by: 'id' }>;
type ByKey = Extract<Feedback, { by: 'key' }>;
type Refusal = Exclude<FeedbackOutcome, 'accepted'>;

function noCounts(): Record<FeedbackOutcome, number> {
  return Object.fromEntries(FEEDBACK_OUTCOMES.map((name) => [name, 0])) as Record<FeedbackOutcome, number>;
}

const LOW = 2 ** 15;

/** 47 bits for a prediction and a KPI: the fingerprint is as good as random, and stays so. */
function slotOf(fingerprint: number, kpi: string): number {
  const high = Math.floor(fingerprint / LOW);
  return ((high ^ fnv1a32(kpi)) >>> 0) * LOW + (fingerprint % LOW);
}
