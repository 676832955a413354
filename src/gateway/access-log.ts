import type { Exchange } from './exchange.ts';

/** One line for one request; off by default, sampled by `log.accessLog`. */
export function logAccess(x: Exchange, status: number, nowMs: number): void {
  const { runtime, assignment } = x;
  x.gate.log.info(
    {
      requestId: x.requestId,
      method: x.method,
      path: x.path,
      status,
      service: runtime?.service.name ?? null,
      version: assignment === null ? null : (runtime?.service.versions[assignment.version]?.name ?? null),
      reason: assignment?.reason ?? null,
      bucket: assignment?.bucket ?? null,
      attempts: x.attempts,
      failure: x.failure,
      durationMs: round(nowMs - x.startMs),
      upstreamMs: x.upstreamHeadMs < 0 ? null : round(x.upstreamHeadMs - x.startMs),
      client: x.peer.address,
    },
    'access',
  );
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
