import type { Slice } from './evidence.ts';
import type { Weighing } from './gates.ts';
import { logSampleRatio, SAMPLE_RATIO_ALPHA } from './kernels/sample-ratio.ts';
import { count, duration, percent } from './words.ts';

/** An arm that should have had so many requests and had none is silent: chance does that less than once in 1000 times. */
const SILENT_EXPECTED = Math.log(1000);
/** With no traffic at all nothing can be expected; after this long that is worth saying. */
const NO_TRAFFIC_MS = 60_000;

/** What tells whether the counts can be believed at all. */
export interface Health {
  readonly stages: HealthStage[];
  /** Since the last request of any. */
  quietMs: number;
  /** Requests that each arm should have had since its last one, by those of the other arm. */
  readonly due: { canary: number; stable: number };
  w: number;
}

interface HealthStage {
  readonly stage: number;
  readonly w: number;
  /** Keys. */
  canary: number;
  stable: number;
}

export function startHealth(): Health {
  return { stages: [], quietMs: 0, due: { canary: 0, stable: 0 }, w: 0 };
}

export function assignHealth(to: Health, from: Health): void {
  to.stages.length = Math.min(to.stages.length, from.stages.length);
  for (let i = 0; i < from.stages.length; i++) {
    const own = to.stages[i];
    const { stage, w, canary, stable } = from.stages[i]!;
    if (own?.stage === stage && own.w === w) {
      own.canary = canary;
      own.stable = stable;
    } else to.stages[i] = { stage, w, canary, stable };
  }
  to.quietMs = from.quietMs;
  to.due.canary = from.due.canary;
  to.due.stable = from.due.stable;
  to.w = from.w;
}

export function addToHealth(health: Health, { stage, w, spanMs, canary, stable, passed }: Slice): void {
  let newest = health.stages.at(-1);
  if (newest?.stage !== stage || newest.w !== w) {
    newest = { stage, w, canary: 0, stable: 0 };
    health.stages.push(newest);
  }
  newest.canary += canary.keys;
  newest.stable += stable.keys;
  health.quietMs = canary.requests + stable.requests > 0 ? 0 : health.quietMs + spanMs;
  const { due } = health;
  const odds = w < 1 ? w / (1 - w) : 0;
  due.canary = canary.requests > 0 ? (passed?.canary ?? 0) * odds : due.canary + stable.requests * odds;
  const against = odds > 0 ? 1 / odds : 0;
  due.stable = stable.requests > 0 ? (passed?.stable ?? 0) * against : due.stable + canary.requests * against;
  health.w = w;
}

/**
 * Evidence that keys are not split as the weights say. Sticky keys come back in every stage, so stages are not
 * independent: their e-values are averaged (as restarts are) where independent ones would be multiplied.
 */
export function sampleRatio({ stages }: Health): Weighing {
  let sum = 1 / (stages.length + 1);
  for (let i = 0; i < stages.length; i++) {
    const { w, canary, stable } = stages[i]!;
    const logE = w >= 1 ? 0 : logSampleRatio([canary, stable], [w, 1 - w]);
    sum += Math.exp(Math.min(690, logE)) / ((i + 1) * (i + 2));
  }
  return { logE: Math.log(sum), needed: Math.log(1 / SAMPLE_RATIO_ALPHA) };
}

/** What forbids any verdict, in words; each holds. */
export function healthProblems(health: Health, mismatch: Weighing): string[] {
  const problems = silence(health);
  if (mismatch.logE >= mismatch.needed) problems.push(mismatchText(health));
  return problems;
}

function silence({ quietMs, due }: Health): string[] {
  if (quietMs >= NO_TRAFFIC_MS) return [`no requests for ${duration(quietMs)}`];
  const silent: string[] = [];
  for (const arm of ['canary', 'stable'] as const) {
    if (due[arm] >= SILENT_EXPECTED) {
      silent.push(`${arm} has no more requests: ${count(due[arm])} were due since its last`);
    }
  }
  return silent;
}

function mismatchText({ stages }: Health): string {
  // Of all stages the one that is furthest from its weights.
  let text = '';
  let most = Number.NEGATIVE_INFINITY;
  for (const { w, canary, stable } of stages) {
    const n = canary + stable;
    const logE = w >= 1 ? 0 : logSampleRatio([canary, stable], [w, 1 - w]);
    if (n === 0 || logE <= most) continue;
    most = logE;
    text = `sample ratio mismatch: the canary got ${percent(canary / n)} of ${count(n)} users, not ${percent(w)}`;
  }
  return text;
}
