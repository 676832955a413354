import type { FastifyInstance } from 'fastify';
import type { ControlApi } from '../../control/api.ts';
import { API, type ErrorBody, type FeedbackSummaryBody, MAX_FEEDBACK_ITEMS } from '../contract.ts';
import { refuse } from './common.ts';

/** A batch of 10,000 ids with what they brought. */
const BODY_LIMIT = 2 << 20;

/** `POST feedback`: what became of predictions, one or thousands. Some refused are no error; the answer counts them. */
export function feedbackRoute(app: FastifyInstance, control: ControlApi): void {
  app.post(
    `${API}/feedback`,
    { bodyLimit: BODY_LIMIT },
    async (request, reply): Promise<FeedbackSummaryBody | ErrorBody> => {
      const { body } = request;
      if (typeof body !== 'object' || body === null) {
        return refuse(reply, 400, 'bad_request', HOW);
      }
      const items: readonly unknown[] = Array.isArray(body) ? body : [body];
      if (items.length > MAX_FEEDBACK_ITEMS) {
        const message = `${items.length} items are too many; send ${MAX_FEEDBACK_ITEMS} at a time at most`;
        return refuse(reply, 400, 'bad_request', message);
      }
      return control.feedback(items);
    },
  );
}

const HOW =
  'send JSON such as {"id": "…", "kpi": "click", "value": 1}, with "service" and "key" in place of "id" where there is none, or a list of them';
