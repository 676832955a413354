import { API, ROLLOUT_VERBS } from '../contract.ts';

/** What `/` says to programs; browsers get the dashboard there. */
export const INDEX = `coalmine, admin port

GET / (in a browser)                    the dashboard
GET /healthz                            the process runs
GET /readyz                             it takes users; reloads and endpoints in detail
GET /metrics                            Prometheus and OpenMetrics
GET ${API}/services                    all services, weights and endpoints
GET ${API}/services/NAME               one service in full
GET ${API}/services/NAME/disagreements mirrored requests that were answered differently, where shadow.keep holds them
GET ${API}/services/NAME/explain       which version a request gets and why, now and at each step ahead of its rollout
                                        ?key= &header=name:value &cookie=name=value &method= &path= &ip= &region=
GET ${API}/services/NAME/timeline      weight, rate, errors, latency and answers of each version over time
                                        ?step=1s (the last 15 minutes), ?step=15s (the last 24 hours)
PUT ${API}/services/NAME/weight        {"weight": 5} or {"weight": 5, "version": "v2"}
GET ${API}/rollouts                    all rollouts
GET ${API}/rollouts/NAME               one rollout: phase, steps, analyses, traffic of its versions
GET ${API}/rollouts/NAME/verdict       what the gates say: estimates, evidence, when a decision is expected
GET ${API}/rollouts/NAME/history       what happened, when, by whom and why; ?limit= for the newest only
POST ${API}/rollouts/NAME/VERB         VERB: ${ROLLOUT_VERBS.join(', ')}
                                        optional JSON: {"full": true} (promote), {"reason": "…"} (abort), {"actor": "…"}
GET ${API}/experiments                 all experiments
GET ${API}/experiments/NAME            one experiment: verdict, variants, when a decision is expected
GET ${API}/experiments/NAME/timeline   its intervals over time
GET ${API}/events                      what changes, as it changes: server-sent events; ?service=NAME for one service in full
POST ${API}/feedback                   {"id": "…", "kpi": "click", "value": 1}, with "service" and "key" in place of "id"
                                        where there is none; or a list of up to 10,000
`;
