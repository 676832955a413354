import type { MetricPlan } from '../../core/analysis/plan.ts';
import { NOTIFY_KINDS, type Notification, type Webhook } from '../../core/rollout/plan.ts';
import { DEFAULTS } from '../defaults.ts';
import { argoMsOf } from '../quantity.ts';
import type { RawRollout } from '../schema.ts';
import { headersOf } from './filler.ts';

type RawWebhook = NonNullable<RawRollout['webhooks']>[number];
type RawRequire = NonNullable<RawRollout['requires']>[number];
type RawNotification = NonNullable<RawRollout['notifications']>[number];

const base = DEFAULTS.rollout;

export function compileWebhook(raw: RawWebhook): Webhook {
  return {
    name: raw.name,
    type: raw.type ?? base.webhook.type,
    url: raw.url,
    timeoutMs: argoMsOf(raw.timeout ?? base.webhook.timeout),
    retries: raw.retries ?? base.webhook.retries,
    intervalMs: argoMsOf(raw.interval ?? base.webhook.interval),
    headers: headersOf(raw.headers),
    metadata: Object.fromEntries(Object.entries(raw.metadata ?? {})),
    failureLimit: raw.failureLimit ?? base.webhook.failureLimit,
  };
}

/** What no hook of the user may be called. */
export const REQUIRES_PREFIX = 'requires[';

export function compileRequire({ webhook }: RawRequire, index: number): Webhook {
  const raw = typeof webhook === 'string' ? { url: webhook } : webhook;
  return { ...compileWebhook({ name: `${REQUIRES_PREFIX}${index}]`, ...raw }), type: 'requires' };
}

export function compileNotification(raw: RawNotification): Notification {
  return {
    url: raw.url,
    format: raw.format ?? base.notification.format,
    on: raw.on ?? [...NOTIFY_KINDS],
    headers: headersOf(raw.headers),
    timeoutMs: argoMsOf(raw.timeout ?? base.notification.timeout),
  };
}

/** A `rollout` hook is a metric of the background analysis: called over and over, a no is a failure. */
export function webhookMetric({ name, intervalMs, failureLimit }: Webhook): MetricPlan {
  const metric = DEFAULTS.metric;
  return {
    name,
    provider: { kind: 'webhook', hook: name },
    intervalMs,
    initialDelayMs: 0,
    count: null,
    successCondition: null,
    failureCondition: null,
    failureLimit,
    inconclusiveLimit: metric.inconclusiveLimit,
    consecutiveErrorLimit: metric.consecutiveErrorLimit,
    consecutiveSuccessLimit: metric.consecutiveSuccessLimit,
    dryRun: false,
    retention: metric.retention,
    minSamples: null,
  };
}
