import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { request } from 'undici';
import type { HistoryView, RolloutView } from '../../src/control/api.ts';
import type { FaultMode } from '../../src/demo/faults.ts';
import { startModelProcess } from '../../src/demo/model-process.ts';
import { type Product, startProduct } from '../support/process.ts';
import { scraping, startPrometheus } from '../support/prometheus.ts';
import { requireTool } from '../support/requireTool.ts';
import { until } from '../support/wait.ts';

/**
 * The textbook's manifests (a canary Ingress, a Rollout, an AnalysisTemplate with
 * a Prometheus query), imported and run as they stand but for the addresses,
 * before real model services and a real Prometheus. Half an hour takes half a minute.
 */

const TIME_SCALE = '60';
const PER_SECOND = 60;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MANIFESTS = ['ingress', 'rollout', 'analysis'].map((name) => `test/fixtures/textbook/${name}.yaml`);

t.test('the textbook', requireTool('prometheus'), async (t) => {
  const imported = await importManifests();

  await t.test('a good v2 walks to 100 %', async (t) => {
    const product = await play(t, imported, 'good');
    const end = await ended(product);
    t.equal(end.status, 'completed', end.message);
    t.equal(end.phase, 'Healthy');
    t.strictSame(await weightsOf(product), [0, 5, 25, 50, 100], 'in the steps of the Rollout');
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(product)));
    t.strictSame(new Set(answers), new Set(['200 canary']), 'everyone is on the canary');
    t.match(await metric(product, 'coalmine_rollouts_total'), /status="Promoted"} 1/);
    t.match(await metric(product, 'coalmine_rollout_info'), /phase="Healthy"/);
  });

  await t.test('a failing v2 is taken back by the AnalysisTemplate', async (t) => {
    const product = await play(t, imported, 'errors');
    const end = await ended(product);
    t.equal(end.status, 'aborted', end.message);
    t.equal(end.phase, 'Degraded');
    t.match(end.message, 'success-rate');
    t.notOk((await weightsOf(product)).includes(100));
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(product)));
    t.strictSame(new Set(answers), new Set(['200 stable']), 'stable serves all again');
    const { history } = (await get(product, '/rollouts/iris-api/history')) as { history: HistoryView[] };
    const aborted = history.find(({ kind }) => kind === 'aborted');
    t.match(
      aborted?.evidence.join('\n'),
      /failed \(4\) > failureLimit \(3\)/,
      'the fourth failure, as in Argo',
    );
    t.match(await metric(product, 'coalmine_rollouts_total'), /status="Aborted"} 1/);
    const { stderr, stdout } = promtool(await product.metrics());
    t.equal(`${stdout}${stderr}`, '', 'promtool check metrics has nothing to say');
  });
});

/** What `coalmine import` prints. */
async function importManifests(): Promise<string> {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--import', 'tsx', 'src/main.ts', 'import', ...MANIFESTS], {
    cwd: ROOT,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  return stdout;
}

/** The config in front of two model services, with Prometheus watching and users coming. */
async function play(t: Test, imported: string, fault: FaultMode): Promise<Product> {
  const model = async (version: string, mode: FaultMode) => {
    const started = await startModelProcess({
      version,
      fault: mode,
      onDeath: (how) => t.fail(`${version} ${how}`),
      onComplaint: (line) => t.comment(line),
    });
    t.teardown(() => started.close());
    return started.url;
  };
  const [v1, v2] = [await model('v1', 'good'), await model('v2', fault)];
  // Prometheus must know whom to scrape before it starts, and the gateway whom to ask.
  const relay = await startRelay(t);
  const config = imported
    .replace('http://iris-api-stable.models.svc:80', v1)
    .replace('http://iris-api-canary.models.svc:80', v2)
    .replace('http://prometheus.monitoring.svc:9090', relay.url);
  const local =
    'listen: 127.0.0.1:0\nadmin: { listen: 127.0.0.1:0 }\ndrain: { delay: 0s }\nstate: { dir: ./state }\n';
  const product = await startProduct(t, `${local}${config}`, { args: ['--time-scale', TIME_SCALE] });
  const prometheus = await startPrometheus(scraping(new URL(product.adminUrl).host));
  t.teardown(() => prometheus.stop());
  relay.to(prometheus.url);
  const crowd = setInterval(() => void ask(product).catch(() => undefined), 1_000 / PER_SECOND);
  t.teardown(() => clearInterval(crowd));
  return product;
}

/** Stands where Prometheus will be; 503 until it is there. */
async function startRelay(t: Test) {
  let target: string | null = null;
  const server = createServer((req, res) => {
    if (target === null) return void res.writeHead(503).end();
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', async () => {
      const body = Buffer.concat(chunks);
      const headers = { 'content-type': String(req.headers['content-type'] ?? '') };
      const init = req.method === 'POST' ? { method: 'POST', headers, body } : {};
      try {
        const answer = await fetch(`${target}${req.url}`, init);
        res.writeHead(answer.status, { 'content-type': 'application/json' });
        res.end(await answer.text());
      } catch {
        res.writeHead(503).end();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    to: (url: string) => {
      target = url;
    },
  };
}

async function ended(product: Product): Promise<RolloutView> {
  await until(
    async () => ['completed', 'aborted'].includes((await view(product)).status),
    'the rollout to end',
    80_000,
  );
  return view(product);
}

let users = 0;

/** One request of a new user: its status, and who answered. */
async function ask({ gatewayUrl }: Product): Promise<string> {
  const { statusCode, headers, body } = await request(`${gatewayUrl}/predict`, {
    method: 'POST',
    headers: { host: 'api.example.com', 'content-type': 'application/json', 'x-user-id': `user-${users++}` },
    body: '{"features":[6.1,2.8,4.7,1.2]}',
  });
  await body.dump();
  return `${statusCode} ${String(headers['x-coalmine-version'])}`;
}

/** The weights that were in force, in their order. */
async function weightsOf(product: Product): Promise<number[]> {
  const { history } = (await get(product, '/rollouts/iris-api/history')) as { history: HistoryView[] };
  return [...new Set(history.map(({ weight }) => weight))];
}

async function view(product: Product): Promise<RolloutView> {
  return (await get(product, '/rollouts/iris-api')) as RolloutView;
}

async function get({ adminUrl }: Product, path: string): Promise<unknown> {
  return (await fetch(`${adminUrl}/api/v1${path}`)).json();
}

async function metric(product: Product, name: string): Promise<string> {
  return (await product.metrics())
    .split('\n')
    .filter((line) => line.startsWith(name))
    .join('\n');
}

function promtool(metrics: string): { stdout: string; stderr: string } {
  const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: metrics,
    encoding: 'utf8',
  });
  return { stdout, stderr };
}
