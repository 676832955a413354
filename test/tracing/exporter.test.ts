import http from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { SPAN_OUTCOMES, type TracingSettings } from '../../src/core/trace/span.ts';
import { BATCH, Exporter, MAX_QUEUED, type TracingCounts } from '../../src/tracing/exporter.ts';
import { memoryLog } from '../control/support.ts';
import { refusedUrl } from '../support/origin.ts';
import { startReceiver } from '../support/otlp.ts';
import { until } from '../support/wait.ts';
import { serverSpan } from './spans.ts';

/** What becomes of spans, whatever the receiver does. */

function scene(t: Test, endpoint: string, more: Partial<TracingSettings> = {}) {
  const counts: TracingCounts = {
    spans: Object.fromEntries(SPAN_OUTCOMES.map((name) => [name, 0])) as TracingCounts['spans'],
    requests: { recorded: 0, limited: 0 },
  };
  const log = memoryLog();
  const settings = {
    endpoint,
    share: 1,
    perSecond: 100,
    serviceName: 'coalmine',
    headers: [],
    timeoutMs: 5_000,
    ...more,
  };
  // Chance at its end: the shortest wait that there is.
  const exporter = new Exporter({ settings, instanceId: 'i-1', counts, random: () => 1, log });
  t.teardown(() => exporter.close(0));
  let added = 0;
  const add = (spans: number) => {
    for (let i = 0; i < spans; i++)
      exporter.add(serverSpan({ spanId: (++added).toString(16).padStart(16, '0') }));
  };
  const settled = () => Object.values(counts.spans).reduce((sum, one) => sum + one, 0) === added;
  return { counts, log, exporter, add, settled, messages: () => log.lines.map(({ message }) => message) };
}

const nothing = { exported: 0, rejected: 0, failed: 0, dropped_full: 0, dropped_closed: 0 };

t.test('spans are sent in batches, in their order, as they came', async (t) => {
  const receiver = await startReceiver(t);
  const { counts, add, settled } = scene(t, receiver.url, {
    headers: [
      { name: 'authorization', value: 'Bearer x' },
      { name: 'content-type', value: 'text/plain' },
    ],
  });
  add(BATCH + 3);
  await until(settled, 'all spans');
  t.strictSame(counts.spans, { ...nothing, exported: BATCH + 3 });
  t.strictSame(receiver.faults, []);
  t.strictSame(
    receiver.calls.map(({ spans }) => spans.length),
    [BATCH, 3],
  );
  t.strictSame(
    receiver.taken().map(({ spanId }) => Number.parseInt(spanId, 16)),
    Array.from({ length: BATCH + 3 }, (_, i) => i + 1),
  );
  t.match(receiver.calls[0], {
    path: '/v1/traces',
    headers: { authorization: 'Bearer x', 'user-agent': 'coalmine' },
  });
});

t.test('a receiver that is busy is asked again, no sooner than it says', async (t) => {
  const receiver = await startReceiver(t);
  const at: number[] = [];
  receiver.answer = (nth) => {
    at.push(performance.now());
    return nth === 0 ? { status: 429, headers: { 'retry-after': '1' } } : { status: 200 };
  };
  const { counts, log, add, settled, messages } = scene(t, receiver.url);
  add(BATCH);
  await until(settled, 'the second attempt');
  t.strictSame(counts.spans, { ...nothing, exported: BATCH });
  t.ok((at[1] as number) - (at[0] as number) >= 990, 'not before its second is over');
  t.strictSame(messages(), [
    'traces are not taken (429): it is tried again, and spans beyond what can wait are dropped; check the receiver',
    'traces are taken again',
  ]);
  t.equal(log.lines[0]?.level, 'warn');
});

t.test('each status that may pass is tried again, each other is not', async (t) => {
  const receiver = await startReceiver(t);
  for (const status of [502, 503, 504]) {
    const calls = receiver.calls.length;
    receiver.answer = (nth) => ({ status: nth === calls ? status : 200 });
    const { counts, add, settled } = scene(t, receiver.url);
    add(BATCH);
    await until(settled, 'the second attempt');
    t.strictSame(counts.spans, { ...nothing, exported: BATCH }, String(status));
  }
  for (const status of [302, 400, 401, 404, 500]) {
    const calls = receiver.calls.length;
    receiver.answer = () => ({ status, headers: { location: '/elsewhere' } });
    const { counts, add, settled, messages } = scene(t, receiver.url);
    add(BATCH);
    await until(settled, 'the refusal');
    t.strictSame(counts.spans, { ...nothing, rejected: BATCH }, String(status));
    t.equal(receiver.calls.length, calls + 1);
    t.match(messages(), [/^traces are not taken \(\d{3}.*\): spans are dropped; check tracing\.endpoint/]);
  }
});

t.test('what a receiver takes in part', async (t) => {
  const receiver = await startReceiver(t);
  const bodies: [string, number][] = [
    ['{"partialSuccess":{"rejectedSpans":"5","errorMessage":"too old"}}', 5],
    ['{"partialSuccess":{"rejectedSpans":7}}', 7],
    ['{"partialSuccess":{"rejectedSpans":"100000"}}', BATCH],
    ['{"partialSuccess":{}}', 0],
    ['{}', 0],
    ['', 0],
    ['null', 0],
    ['\u0000\u0001', 0],
    [`"${'x'.repeat(100_000)}"`, 0],
  ];
  for (const [body, rejected] of bodies) {
    receiver.answer = () => ({ status: 200, body });
    const { counts, add, settled } = scene(t, receiver.url);
    add(BATCH);
    await until(settled, 'the answer');
    t.strictSame(counts.spans, { ...nothing, rejected, exported: BATCH - rejected }, body.slice(0, 40));
  }
});

t.test('nobody there: what waits is bounded, and what does not fit is counted', async (t) => {
  const { counts, exporter, add, settled, messages } = scene(t, `${await refusedUrl()}/v1/traces`);
  add(MAX_QUEUED + 10);
  t.strictSame(counts.spans, { ...nothing, dropped_full: 10 });
  await until(() => messages().length > 0, 'the first failure');
  t.match(messages(), [/^traces are not taken \(ECONNREFUSED\)/]);
  await exporter.close(5_000);
  t.ok(settled(), 'each in exactly one count');
  t.strictSame(counts.spans, { ...nothing, dropped_full: 10, failed: MAX_QUEUED });
  add(1);
  t.equal(counts.spans.dropped_closed, 1);
  t.equal(messages().length, 1, 'said once');
});

t.test('a receiver that does not answer is given up in time, and left in time', async (t) => {
  const receiver = await startReceiver(t);
  receiver.answer = () => null;
  const { counts, exporter, add, settled, messages } = scene(t, receiver.url, { timeoutMs: 100 });
  add(BATCH);
  await until(() => receiver.calls.length >= 2, 'a second attempt');
  t.match(messages(), [/no answer within 100 ms/]);
  add(BATCH * 2);
  await exporter.close(50);
  t.ok(settled());
  t.strictSame(counts.spans, { ...nothing, failed: BATCH * 3 });
});

t.test('what waits when the process ends is sent', async (t) => {
  const receiver = await startReceiver(t);
  const { counts, exporter, add } = scene(t, receiver.url);
  add(BATCH * 2 + 1);
  await exporter.close(5_000);
  t.strictSame(counts.spans, { ...nothing, exported: BATCH * 2 + 1 });
  t.equal(receiver.taken().length, BATCH * 2 + 1);
});

t.test('and where the receiver wants to wait longer than the process lives, it is not pressed', async (t) => {
  const receiver = await startReceiver(t);
  receiver.answer = () => ({ status: 503, headers: { 'retry-after': '3600' } });
  const { counts, exporter, add } = scene(t, receiver.url);
  add(BATCH * 2);
  await until(() => receiver.calls.length === 1, 'the first attempt');
  await exporter.close(5_000);
  t.equal(receiver.calls.length, 1);
  t.strictSame(counts.spans, { ...nothing, failed: BATCH * 2 });
});

t.test('Retry-After may be a date, and nonsense is no wait', async (t) => {
  const receiver = await startReceiver(t);
  for (const wait of [new Date(Date.now() - 5_000).toUTCString(), 'soon', '-1']) {
    const calls = receiver.calls.length;
    receiver.answer = (nth) =>
      nth === calls ? { status: 503, headers: { 'retry-after': wait } } : { status: 200 };
    const { counts, add, settled } = scene(t, receiver.url);
    add(BATCH);
    await until(settled, 'the second attempt');
    t.strictSame(counts.spans, { ...nothing, exported: BATCH }, wait);
  }
});

t.test('so many requests a second, and no more', async (t) => {
  const { counts, exporter } = scene(t, 'http://127.0.0.1:1/v1/traces', { perSecond: 10 });
  const admitted = (atMs: number, asked: number) => {
    let yes = 0;
    for (let i = 0; i < asked; i++) if (exporter.admits(atMs)) yes++;
    return yes;
  };
  t.equal(admitted(1_000, 50), 10, 'what a second allows, at once');
  t.equal(admitted(1_100, 50), 1);
  t.equal(admitted(1_500, 50), 4);
  t.equal(admitted(60_000, 50), 10, 'nothing is saved up beyond a second');
  t.strictSame(counts.requests, { recorded: 25, limited: 175 });
});

t.test('an answer that never ends does not hold the next batch for ever', async (t) => {
  const server = http.createServer((req, res) => {
    req.resume();
    res.writeHead(200, { 'content-type': 'application/json' });
    res.write('{');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const { counts, add, settled } = scene(t, `http://127.0.0.1:${port}/v1/traces`, { timeoutMs: 100 });
  add(BATCH * 2);
  await until(settled, 'both batches');
  t.strictSame(counts.spans, { ...nothing, exported: BATCH * 2 }, 'the status said that they were taken');
});
