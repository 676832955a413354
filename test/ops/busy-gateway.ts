import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { request } from 'undici';
import { configOf, type Product, startProduct } from '../support/process.ts';
import { until } from '../support/wait.ts';

/**
 * A real gateway that uses everything that has a metric: a rollout under way with gates of
 * every kind, a shadow that is compared, predictions that are read, and users who report clicks.
 */
export async function startBusyGateway(t: Test): Promise<Product> {
  const [v1, v2] = [await startModel(t), await startModel(t)];
  const product = await startProduct(
    t,
    configOf(
      {
        'iris-api': {
          versions: { v1: { url: v1 }, v2: { url: v2 } },
          stable: 'v1',
          canary: 'v2',
          sticky: { by: ['header:x-user-id'] },
          predictions: { class: '/prediction', confidence: '/confidence' },
          mirror: { to: 'v2', percent: 0, methods: ['POST'] },
          shadow: { compare: 'class' },
          gates: {
            successRate: { atLeast: 0.9 },
            latency: { p99: '10s' },
            predictionShift: { atMost: 0.5 },
            confidence: { mean: 0.5 },
            agreement: { atLeast: 0.5 },
            ctr: { kpi: 'click', within: '50%' },
          },
          rollout: { steps: [{ setMirror: 100 }, { setWeight: 50 }, { pause: {} }] },
        },
      },
      { drain: { delay: '0s' }, state: { dir: './state' }, kpi: { secret: 'a secret of tests' } },
    ),
  );
  let n = 0;
  const users = setInterval(() => void visit(product, n++).catch(() => undefined), 20);
  t.teardown(() => clearInterval(users));
  const series = [
    /^coalmine_gate_state\{.*"ctr"/m,
    /^coalmine_prediction_confidence_bucket/m,
    /^coalmine_kpi_total.* [1-9]/m,
  ];
  const isThere = async () => {
    const metrics = await product.metrics();
    return series.every((one) => one.test(metrics));
  };
  await until(isThere, 'every gate to be judged, and answers to be read', 60_000);
  return product;
}

/** Answers as a model does; one class in three is another. */
export async function startModel(t: Test): Promise<string> {
  let n = 0;
  const server = createServer((asked, reply) => {
    asked.resume();
    reply.setHeader('content-type', 'application/json');
    n++;
    reply.end(JSON.stringify({ prediction: n % 3 === 0 ? 'virginica' : 'setosa', confidence: 0.9 }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A user asks, and every second one clicks, where there is a KPI. */
export async function visit({ gatewayUrl, adminUrl }: Product, n: number): Promise<void> {
  const { headers, body } = await request(`${gatewayUrl}/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-user-id': `user-${n}` },
    body: '{"features":[5.1,3.5,1.4,0.2]}',
  });
  await body.dump();
  const id = headers['x-prediction-id'];
  if (n % 2 === 0 || typeof id !== 'string') return;
  const reported = await request(`${adminUrl}/api/v1/feedback`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id, kpi: 'click', value: 1 }),
  });
  await reported.body.dump();
}
