import { writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { startApp } from '../../src/app.ts';
import { memoryLog } from '../control/support.ts';
import { headerOf } from '../support/http1.ts';
import { refusedUrl, startOrigin } from '../support/origin.ts';
import { startReceiver } from '../support/otlp.ts';
import { series } from '../support/process.ts';
import { until } from '../support/wait.ts';
import { writeConfig, yaml } from './support.ts';

/** Traces from a client through a whole gateway to a receiver. */

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

async function scene(t: Test, tracing: string) {
  const origin = await startOrigin(t);
  const text = (keys: string) => `${keys}${yaml(origin.url, origin.url)}`;
  const file = writeConfig(t, text(tracing));
  const log = memoryLog();
  const app = await startApp({ configFile: file, env: {}, log });
  t.teardown(() => app.close());
  const get = (headers: Record<string, string> = {}) =>
    fetch(`${app.gatewayUrl}/predict?token=secret`, { headers });
  const metrics = async () => (await fetch(`${app.adminUrl}/metrics`)).text();
  const reload = async (keys: string) => {
    writeFileSync(file, text(keys));
    await app.reload();
  };
  return { origin, app, get, metrics, reload, log };
}

t.test('a request, its attempt and who called: one trace', async (t) => {
  const receiver = await startReceiver(t);
  const { origin, app, get, metrics } = await scene(
    t,
    `tracing: { endpoint: ${receiver.url}, sample: 0%, serviceName: gate, headers: { x-key: k } }\n`,
  );
  const answer = await get({ traceparent: `00-${TRACE}-${PARENT}-01`, 'x-user-id': 'u1' });
  t.equal(answer.status, 200);
  await get();
  await receiver.until(() => receiver.taken().length === 2, 'the spans of the sampled one');
  const server = receiver.taken().find(({ kind }) => kind === 2);
  const client = receiver.taken().find(({ kind }) => kind === 3);
  t.match(server, {
    traceId: TRACE,
    parentSpanId: PARENT,
    name: 'GET /',
    resource: { 'service.name': 'gate' },
  });
  t.match(server?.attributes, {
    'coalmine.service': 'iris-api',
    'coalmine.version': answer.headers.get('x-coalmine-version'),
    'coalmine.reason': 'hash',
    'coalmine.request_id': answer.headers.get('x-request-id'),
    'http.response.status_code': 200,
  });
  t.match(client, { traceId: TRACE, parentSpanId: server?.spanId });
  t.equal(headerOf(origin.requests[0]!.message, 'traceparent'), `00-${TRACE}-${client?.spanId}-01`);
  t.match(receiver.calls[0]?.headers, { 'x-key': 'k' });
  t.strictSame(receiver.faults, []);
  t.notMatch(JSON.stringify(receiver.calls), /secret/);
  const text = await metrics();
  t.equal(series(text, 'coalmine_trace_spans_total', { outcome: 'exported' }), 2);
  t.equal(series(text, 'coalmine_traced_requests_total', { outcome: 'recorded' }), 1);

  await get({ traceparent: `00-${TRACE}-${PARENT}-01` });
  await app.close();
  t.equal(receiver.taken().length, 4, 'what waited was sent before the end');
});

t.test('a reload turns it on, elsewhere, and off', async (t) => {
  const first = await startReceiver(t);
  const second = await startReceiver(t);
  const { get, metrics, reload } = await scene(t, '');
  await get();
  t.notMatch(await metrics(), /coalmine_trace_spans_total\{/, 'no series where nothing is traced');
  await reload(`tracing: { endpoint: ${first.url}, sample: 100% }\n`);
  await get();
  await reload(`tracing: { endpoint: ${second.url}, sample: 100% }\n`);
  await first.until(() => first.taken().length === 2, 'what waited for the one before');
  await get();
  await reload('');
  await second.until(() => second.taken().length === 2, 'what waited for the second');
  await get();
  const text = await metrics();
  t.equal(series(text, 'coalmine_trace_spans_total', { outcome: 'exported' }), 4, 'counted on');
  t.equal(first.taken().length + second.taken().length, 4);
});

t.test('a receiver that is away, hangs or refuses is felt by nobody', async (t) => {
  const hung = await startReceiver(t);
  hung.answer = () => null;
  const busy = await startReceiver(t);
  busy.answer = () => ({ status: 429, headers: { 'retry-after': '60' } });
  for (const endpoint of [`${await refusedUrl()}/v1/traces`, hung.url, busy.url]) {
    const { app, get, metrics, log } = await scene(
      t,
      `tracing: { endpoint: "${endpoint}", sample: 100%, perSecond: 10000, timeout: 200ms }\n`,
    );
    for (let i = 0; i < 300; i++) {
      const [one, two] = await Promise.all([get(), get()]);
      if (one.status !== 200 || two.status !== 200) t.fail(`${one.status} ${two.status}`);
      await Promise.all([one.text(), two.text()]);
    }
    await until(
      () => log.lines.some(({ message }) => message.startsWith('traces are not taken')),
      'the warning',
    );
    t.equal(series(await metrics(), 'coalmine_trace_spans_total', { outcome: 'exported' }), 0);
    await app.close();
  }
  t.pass();
});
