import { Pool } from 'undici';
import type { FeedbackSummary } from '../../src/control/api.ts';
import type { Product } from './process.ts';
import { until } from './wait.ts';

/** Users of a model service some of whom click on what they got, and the application that reports it. */

export interface Visit {
  readonly key: string;
  readonly version: string;
  /** The x-prediction-id; '' where the answer had none. */
  readonly id: string;
  readonly clicked: boolean;
}

/** How likely a user of a version clicks. */
export type Rates = Readonly<Record<string, number>>;

/** Flowers of all three kinds. */
const FLOWERS = [
  [5.1, 3.5, 1.4, 0.2],
  [6.1, 2.8, 4.7, 1.2],
  [6.3, 3.3, 6.0, 2.5],
];
const AT_ONCE = 64;
/** Items of one POST. */
export const BATCH = 2_000;

export class Shoppers {
  readonly #pool: Pool;
  readonly #rates: Rates;
  readonly #comes: (key: string) => boolean;
  readonly #random: () => number;
  #next = 0;

  /** @param comes whether a user sends anything at all */
  constructor(
    { gatewayUrl }: Product,
    rates: Rates,
    random: () => number,
    comes: (key: string) => boolean = () => true,
  ) {
    this.#pool = new Pool(gatewayUrl, { connections: AT_ONCE });
    this.#rates = rates;
    this.#random = random;
    this.#comes = comes;
  }

  /** So many requests, each of a user of its own. */
  async visit(count: number): Promise<Visit[]> {
    const visits: Visit[] = [];
    let left = count;
    const one = async () => {
      while (left-- > 0) visits.push(await this.#ask(this.#someone()));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    return visits;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  #someone(): string {
    for (;;) {
      const key = `user-${this.#next++}`;
      if (this.#comes(key)) return key;
    }
  }

  async #ask(key: string): Promise<Visit> {
    const { headers, body } = await this.#pool.request({
      path: '/predict',
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-user-id': key },
      body: JSON.stringify({ features: FLOWERS[this.#next % FLOWERS.length] }),
    });
    await body.dump();
    const version = String(headers['x-coalmine-version']);
    const id = String(headers['x-prediction-id'] ?? '');
    return { key, version, id, clicked: this.#random() < (this.#rates[version] ?? 0) };
  }
}

export const NOTHING_TAKEN: FeedbackSummary = {
  accepted: 0,
  duplicate: 0,
  forged: 0,
  expired: 0,
  malformed: 0,
  unknown: 0,
};

/** Reports items in batches; the sum of what became of them. */
export async function report({ adminUrl }: Product, items: readonly object[]): Promise<FeedbackSummary> {
  const sum = { ...NOTHING_TAKEN };
  for (let from = 0; from < items.length; from += BATCH) {
    const answer = await fetch(`${adminUrl}/api/v1/feedback`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(items.slice(from, from + BATCH)),
    });
    if (answer.status !== 200) throw new Error(`feedback: ${answer.status} ${await answer.text()}`);
    const told = (await answer.json()) as FeedbackSummary;
    for (const name of Object.keys(sum) as (keyof FeedbackSummary)[]) sum[name] += told[name];
  }
  return sum;
}

export function clicksOf(visits: readonly Visit[]): object[] {
  return visits.filter(({ clicked }) => clicked).map(({ id }) => ({ id, kpi: 'click', value: 1 }));
}

/** Clicks by version. */
export function countClicks(visits: readonly Visit[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { version, clicked } of visits) if (clicked) counts[version] = (counts[version] ?? 0) + 1;
  return counts;
}

/** What an admin path answers, asked again until it is what is waited for. */
export async function adminUntil<T>(
  { adminUrl }: Product,
  path: string,
  holds: (body: T) => boolean,
  timeoutMs = 30_000,
): Promise<T> {
  let last: T | null = null;
  await until(
    async () => {
      last = (await (await fetch(`${adminUrl}/api/v1${path}`)).json()) as T;
      return holds(last);
    },
    `${path} to be so`,
    timeoutMs,
  ).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(last).slice(0, 2_000)}`);
  });
  return last as T;
}
