import type { FastifyInstance } from 'fastify';
import { API } from '../contract.ts';

const INDEX = `coalmine, admin port

GET /healthz                            the process runs
GET /readyz                             it takes users; reloads and endpoints in detail
GET /metrics                            Prometheus and OpenMetrics
GET ${API}/services                    all services, weights and endpoints
GET ${API}/services/NAME               one service in full
GET ${API}/services/NAME/explain       which version a request gets and why
                                        ?key= &header=name:value &cookie=name=value &method= &path= &ip= &region=
PUT ${API}/services/NAME/weight        {"weight": 5} or {"weight": 5, "version": "v2"}
`;

export function indexRoute(app: FastifyInstance): void {
  app.get('/', async (_request, reply) => {
    reply.header('content-type', 'text/plain; charset=utf-8');
    return INDEX;
  });
}
