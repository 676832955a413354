import { fnv1a32 } from '../core/split/hash.ts';
import type { Exchange } from './exchange.ts';
import type { FlatHeaders } from './headers.ts';
import { isCompared, keyHashOf } from './judging.ts';
import { answerHead, type Capture } from './observe/capture.ts';
import { Sample } from './observe/sample.ts';
import type { Watch } from './observe/watch.ts';
import type { ShadowRuntime } from './table.ts';

/**
 * Observation of the client's answer: some answers are copied while they pass and
 * read once their clients have them. Nothing here waits, and nothing of it is
 * felt by the client but the copying.
 */

/** The head of an answer went out. Null: its body is not copied. */
export function observe(x: Exchange, status: number, headers: FlatHeaders): Capture | null {
  const watch = x.runtime?.judge?.watch ?? null;
  if (watch === null) return null;
  if (!hasContent(x, status)) {
    x.sample?.dropClient();
    return null;
  }
  if (x.sample === null) {
    if (!isCompared(x) || !isChosen(x.requestId, watch.spec.share)) return null;
    x.sample = sampleOf(x, watch);
  }
  return x.sample.openClient(answerHead(headers), x.gate.clock.nowMs());
}

/** The answer was handed over whole. */
export function observed(x: Exchange, capture: Capture | null): void {
  if (capture !== null) x.sample?.endClient();
}

/** Before the copy of a request is sent: whether the shadow's answer is compared with the client's. */
export function observePair(x: Exchange, { spec }: ShadowRuntime): Sample | null {
  const judge = x.runtime?.judge ?? null;
  const watch = judge?.watch ?? null;
  if (judge === null || watch === null || watch.spec.pairs === null) return null;
  // Agreement is that of the version under judgement with stable.
  if (spec.to !== judge.arms.judged.canary || x.assignment?.version !== x.runtime?.service.stable)
    return null;
  if (x.settled || !isChosen(x.requestId, watch.spec.share)) return null;
  x.sample = sampleOf(x, watch);
  x.sample.awaitShadow();
  return x.sample;
}

function sampleOf(x: Exchange, watch: Watch): Sample {
  const { version, key } = x.assignment as NonNullable<Exchange['assignment']>;
  return new Sample(watch, {
    version,
    startMs: x.startMs,
    keyHash: keyHashOf(key),
    requestId: x.requestId,
    compared: isCompared(x),
  });
}

/** A 2xx of the assigned version with a body. Where stable stands in for a canary it says nothing of it. */
function hasContent(x: Exchange, status: number): boolean {
  return status >= 200 && status < 300 && status !== 204 && x.method !== 'HEAD' && x.failure === null;
}

/** By the request's id, so that which answers are read depends on nothing that they say. */
function isChosen(requestId: string, share: number): boolean {
  // Hashed twice: the last characters of an id hardly move the upper bits of FNV's first round.
  return share >= 1 || fnv1a32(String(fnv1a32(requestId))) < share * 2 ** 32;
}
