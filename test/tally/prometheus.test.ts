import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import type { Tally } from '../../src/core/tally.ts';
import { createExposition } from '../../src/tally/exposition.ts';
import { Recorder } from '../../src/tally/recorder.ts';
import { scraping, startPrometheus } from '../support/prometheus.ts';
import { requireTool } from '../support/requireTool.ts';
import { split } from '../support/split.ts';
import { until } from '../support/wait.ts';
import { request, serviceOf } from './support.ts';

/** Word for word as the documentation promises it. */
const QUERY =
  'sum(rate(http_requests_total{app="iris-api",status!~"5.."}[2m])) / sum(rate(http_requests_total{app="iris-api"}[2m]))';

/** Serves metrics, and records nine good requests and a bad one before each scrape, so that rates are known exactly. */
async function startExporter() {
  const recorder = new Recorder();
  const current = split([serviceOf('iris-api', ['v1', 'v2']), serviceOf('other', ['v1'])]);
  const [[v1, v2], [other]] = current.services.map((service) => recorder.open(service)) as [Tally[], Tally[]];
  const exposition = createExposition({
    recorder,
    split: () => current,
    reloads: () => ({ ok: 0, failed: 0 }),
  });
  const scrapes = { text: 0, open: 0 };
  const server = createServer((req, res) => {
    const openMetrics = (req.headers.accept ?? '').includes('application/openmetrics-text');
    scrapes[openMetrics ? 'open' : 'text']++;
    for (let i = 0; i < 9; i++) request(v1 as Tally, { durationMs: 5 });
    request(v2 as Tally, { method: 'POST', status: 503, durationMs: 50 });
    request(other as Tally, { status: 500 });
    void exposition.render(openMetrics).then((body) => {
      res.setHeader('content-type', exposition.contentType(openMetrics));
      res.end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    scrapes,
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Answer {
  status: string;
  data: { result: { metric: Record<string, string>; value: [number, string] }[] };
}

t.test(
  'a real Prometheus scrapes, and the documented query works as it stands',
  requireTool('prometheus'),
  async (t) => {
    const exporter = await startExporter();
    t.teardown(() => exporter.close());
    const prometheus = await startPrometheus(scraping(exporter.address));
    t.teardown(() => prometheus.stop());

    const query = async (text: string) => {
      const response = await fetch(`${prometheus.url}/api/v1/query?query=${encodeURIComponent(text)}`);
      // 503 while it starts.
      if (!response.ok) return [];
      const { status, data } = (await response.json()) as Answer;
      return status === 'success' ? data.result : [];
    };
    const numberAt = async (text: string) => Number((await query(text))[0]?.value[1]);

    await until(
      async () => (await numberAt('count_over_time(up{job="coalmine"}[1m])')) >= 4,
      'four scrapes are stored',
      30_000,
    );
    t.equal(await numberAt('min_over_time(up{job="coalmine"}[1m])'), 1, 'every scrape was understood');
    const answer = await query(QUERY);
    t.equal(answer.length, 1, 'one value');
    const ratio = Number(answer[0]?.value[1]);
    t.ok(Math.abs(ratio - 0.9) < 1e-9, `${ratio}: nine requests of ten are no 5xx, other services left out`);
    t.ok(exporter.scrapes.open > 0, 'it asks for OpenMetrics');

    const p90 = await numberAt(
      'histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket{app="iris-api"}[2m])))',
    );
    t.ok(Math.abs(p90 - 0.01) < 1e-9, `${p90}: nine of ten took at most 10 ms`);
    const mean = await numberAt(
      'sum(rate(http_request_duration_seconds_sum{app="iris-api"}[2m])) / sum(rate(http_request_duration_seconds_count{app="iris-api"}[2m]))',
    );
    t.ok(Math.abs(mean - 0.0095) < 1e-9, `${mean}: the mean of nine times 5 ms and once 50 ms`);

    const metadata = (await (
      await fetch(`${prometheus.url}/api/v1/metadata?metric=http_requests`)
    ).json()) as {
      data: Record<string, { type: string }[]>;
    };
    t.equal(metadata.data.http_requests?.[0]?.type, 'counter', 'its type is known');
  },
);
