import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ControlApi } from '../../control/api.ts';
import type { ReadyBody } from '../contract.ts';

/**
 * `/healthz`: the process runs (restart it if not). `/readyz`: send it users;
 * 503 while starting and while draining. Unhealthy endpoints do not make the
 * gateway unready, or one bad version would take every replica out at once.
 */
export function probeRoutes(
  app: FastifyInstance,
  control: ControlApi,
  mayKnow: (request: FastifyRequest) => boolean,
): void {
  app.get('/healthz', OPEN, async () => ({ status: 'ok' }));
  app.get('/readyz', OPEN, async (request, reply) => {
    const status = control.phase();
    reply.code(status === 'ready' ? 200 : 503);
    return mayKnow(request) ? readyBody(control) : ({ status } satisfies ReadyBody);
  });
}

/** For load balancers and container probes, which carry neither a token nor a fixed name. */
const OPEN = { config: { access: 'everyone' } } as const;

function readyBody(control: ControlApi): ReadyBody {
  const { reload, ...rest } = control.readiness();
  const { failure } = reload;
  const told =
    failure === null
      ? null
      : { at: new Date(failure.atMs).toISOString(), message: failure.message, issues: failure.issues };
  return { ...rest, reload: { ...reload, failure: told } };
}
