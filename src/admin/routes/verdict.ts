import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  answerAsk,
  type ControlApi,
  GATE_ASKS,
  type GateAsk,
  type VerdictReport,
} from '../../control/api.ts';
import { API, type ErrorBody, type GateBody, type VerdictBody } from '../contract.ts';
import { type ByName, paramsOf, type Read, refuse, takeEmptyJson, unknownService } from './common.ts';

const MAX_REVISION_LENGTH = 256;

/** The verdict for controllers beside us: one to read, as Argo does, and one to ask, as Flagger does. */
export function verdictRoutes(app: FastifyInstance, control: ControlApi): void {
  app.get<ByName>(
    `${API}/rollouts/:name/verdict`,
    async (request, reply): Promise<VerdictBody | ErrorBody> => reportFor(control, request, reply, []),
  );

  app.register(async (scope) => {
    takeEmptyJson(scope);
    // Whatever Flagger tells of itself in the body changes no answer.
    scope.post<ByName>(
      `${API}/rollouts/:name/gate`,
      async (request, reply): Promise<GateBody | ErrorBody> => {
        const ask = askOf(paramsOf(request));
        if (!ask.ok) return refuse(reply, 400, 'bad_request', ask.message);
        const report = reportFor(control, request, reply, ['ask']);
        return 'error' in report ? report : answerTo(report, ask.value, reply);
      },
    );
  });
}

/** A no is 409: Flagger repeats a call that was answered with 5xx, and this one will not change by that. */
function answerTo(report: VerdictReport, ask: GateAsk, reply: FastifyReply): GateBody | ErrorBody {
  const { yes, why } = answerAsk(report, ask);
  const { service, result } = report;
  return yes ? { service, ask, result, message: why } : refuse(reply, 409, 'not_now', `no: ${why}`);
}

function reportFor(
  control: ControlApi,
  request: FastifyRequest<ByName>,
  reply: FastifyReply,
  others: readonly string[],
): VerdictReport | ErrorBody {
  const revision = revisionOf(paramsOf(request), others);
  if (!revision.ok) return refuse(reply, 400, 'bad_request', revision.message);
  const { name } = request.params;
  return control.verdict(name, revision.value) ?? unknownService(control, reply, name);
}

function askOf(params: URLSearchParams): Read<GateAsk> {
  const [told, second] = params.getAll('ask');
  const ask = GATE_ASKS.find((one) => one === told);
  return ask === undefined || second !== undefined
    ? { ok: false, message: `ask must be one of ${GATE_ASKS.join(', ')}` }
    : { ok: true, value: ask };
}

function revisionOf(params: URLSearchParams, others: readonly string[]): Read<string | null> {
  const known = ['revision', ...others];
  const other = [...params.keys()].find((name) => !known.includes(name));
  if (other !== undefined) {
    return { ok: false, message: `unknown parameter ${JSON.stringify(other)}; known: ${known.join(', ')}` };
  }
  const [text, second] = params.getAll('revision');
  if (text === undefined) return { ok: true, value: null };
  return second !== undefined || text === '' || text.length > MAX_REVISION_LENGTH
    ? { ok: false, message: `revision must be one text of 1 to ${MAX_REVISION_LENGTH} characters` }
    : { ok: true, value: text };
}
