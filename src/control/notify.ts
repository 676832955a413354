import { randomUUID } from 'node:crypto';
import type { Notification } from '../core/rollout/plan.ts';
import type { Log, Random } from '../ports.ts';
import { bodyOf } from './notify/bodies.ts';
import type { NotifyMessage } from './notify/message.ts';
import { createPostAgent, describePosted, isAccepted, postRetrying, type Sleep, sleepUnref } from './post.ts';

export type { NotifyMessage };

export interface NotifierDeps {
  readonly log: Log;
  /** For tests; chance, real time and random UUIDs without them. */
  readonly random?: Random;
  readonly sleep?: Sleep;
  readonly newId?: () => string;
}

export interface Notifier {
  /** Sends to the targets that want the message's kind. Returns at once and never throws. */
  (targets: readonly Notification[], message: NotifyMessage): void;
  /** Messages that were never sent because there were too many of them, or because of the end. */
  dropped(): number;
  /** Takes no more; waits for what is under way, `graceMs` at most, and gives up what is left. */
  close(graceMs: number): Promise<void>;
}

const RETRIES = 2;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 10_000;
/** Waiting for one target. */
const MAX_WAITING = 256;

interface Job {
  readonly target: Notification;
  readonly message: NotifyMessage;
  readonly id: string;
}

/** The messages for one URL, in order. A target that is slow or dead delays none but its own. */
interface Lane {
  readonly waiting: Job[];
  readonly done: Promise<void>;
}

export function createNotifier(deps: NotifierDeps): Notifier {
  const { log, newId = randomUUID } = deps;
  const lanes = new Map<string, Lane>();
  const end = new AbortController();
  const send = createSender(deps, end.signal);
  let dropped = 0;
  let closing = false;

  const drop = (job: Job, reason: string) => {
    dropped++;
    log.warn({ ...fieldsOf(job), dropped }, `notification not sent: ${reason}`);
  };

  const work = async (url: string, waiting: Job[]) => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      if (end.signal.aborted) drop(job, 'the gateway ends');
      else await send(job);
    }
    lanes.delete(url);
  };

  const enqueue = (job: Job) => {
    const { url } = job.target;
    const lane = lanes.get(url);
    if (closing) return drop(job, 'the gateway ends');
    if (lane === undefined) {
      const waiting = [job];
      // Begins in a later turn, when the lane is in the map.
      lanes.set(url, { waiting, done: Promise.resolve().then(() => work(url, waiting)) });
      return;
    }
    lane.waiting.push(job);
    // The newest says how things stand.
    const oldest = lane.waiting.length > MAX_WAITING ? lane.waiting.shift() : undefined;
    if (oldest !== undefined) drop(oldest, `more than ${MAX_WAITING} wait for this target`);
  };

  const notify = (targets: readonly Notification[], message: NotifyMessage) => {
    const id = newId();
    for (const target of targets) {
      if (target.on.includes(message.kind)) enqueue({ target, message, id });
    }
  };

  return Object.assign(notify, {
    dropped: () => dropped,
    async close(graceMs: number) {
      closing = true;
      const timer = setTimeout(() => end.abort(), graceMs);
      await Promise.all([...lanes.values()].map(({ done }) => done));
      clearTimeout(timer);
    },
  });
}

/** Sends one message, and says so where that failed in the end. Never rejects. */
function createSender(deps: NotifierDeps, signal: AbortSignal): (job: Job) => Promise<void> {
  const { log, random = Math.random, sleep = sleepUnref } = deps;
  const agent = createPostAgent();
  const retrying = {
    retries: RETRIES,
    firstDelayMs: FIRST_DELAY_MS,
    maxDelayMs: MAX_DELAY_MS,
    random,
    sleep,
  };
  return async (job) => {
    try {
      const { url, format, headers, timeoutMs } = job.target;
      const { contentType, text } = bodyOf(format, job.message, job.id);
      const post = { url, headers, timeoutMs, contentType, body: text };
      const posted = await postRetrying(agent, post, retrying, signal);
      if (isAccepted(posted)) return;
      log.warn(fieldsOf(job), `notification failed: ${describePosted(posted, timeoutMs)}`);
    } catch (error) {
      log.error({ ...fieldsOf(job), err: error }, 'notification failed: it could not be made');
    }
  };
}

/** Paths of such URLs are secrets themselves: the host has to do. */
function fieldsOf({ target, message }: Job): object {
  const { service, kind, number } = message;
  const host = URL.canParse(target.url) ? new URL(target.url).host : '';
  return { target: host, format: target.format, service, event: kind, number };
}
