import { signPrediction } from '../kpi/token.ts';
import type { Exchange } from './exchange.ts';
import type { FlatHeaders } from './headers.ts';
import { isCompared, keyHashOf } from './judging.ts';

const NAME = 'x-prediction-id';

/**
 * Names the prediction in its answer, so that what became of it can be reported
 * later. Only what was counted under its version gets one: a 2xx of the group under
 * comparison, by the version itself.
 */
export function addPredictionId(x: Exchange, status: number, headers: FlatHeaders): void {
  const { runtime, assignment } = x;
  const judge = runtime?.judge ?? null;
  const secret = judge?.arms.judged.predictionSecret ?? null;
  if (secret === null || runtime === null || assignment === null) return;
  dropHeader(headers, NAME);
  if (status < 200 || status > 299 || x.failure !== null || !isCompared(x)) return;
  const { service } = runtime;
  const token = signPrediction(secret, {
    service: service.name,
    version: service.versions[assignment.version]?.name ?? '',
    terms: judge?.terms ?? '',
    keyHash: keyHashOf(assignment.key),
    atS: Math.floor(x.gate.clock.wallMs() / 1_000),
  });
  headers.push(NAME, token);
}

/** An upstream's own would be believed to be ours. */
function dropHeader(headers: FlatHeaders, name: string): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if ((headers[i] as string).toLowerCase() === name) headers.splice(i, 2);
  }
}
