import type { Webhook } from '../core/rollout/plan.ts';
import type { HookAnswer, HookCaller, Random } from '../ports.ts';
import {
  createPostAgent,
  describePosted,
  isAccepted,
  type Post,
  postRetrying,
  type Sleep,
  sleepUnref,
} from './post.ts';

export interface HookDeps {
  readonly random: Random;
  /** For tests; waits in real time without one. */
  readonly sleep?: Sleep;
}

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 10_000;

/**
 * Calls hooks as Flagger does: POST with JSON, 2xx is a yes. `hook.timeoutMs` is
 * for each attempt. A hook that said no was asked and has answered: only servers
 * that failed or did not answer are asked again, `hook.retries` times.
 */
export function createHookCaller({ random, sleep = sleepUnref }: HookDeps): HookCaller {
  const agent = createPostAgent();
  return async (hook, body, signal): Promise<HookAnswer> => {
    const post = postOf(hook, body);
    if (post === null) return { ok: false, detail: 'could not be sent (its body is no JSON)' };
    const { retries, timeoutMs } = hook;
    const retrying = { retries, firstDelayMs: FIRST_DELAY_MS, maxDelayMs: MAX_DELAY_MS, random, sleep };
    const posted = await postRetrying(agent, post, retrying, signal);
    return { ok: isAccepted(posted), detail: describePosted(posted, timeoutMs) };
  };
}

function postOf({ url, headers, timeoutMs }: Webhook, body: object): Post | null {
  try {
    return { url, headers, timeoutMs, contentType: 'application/json', body: JSON.stringify(body) };
  } catch {
    return null;
  }
}
