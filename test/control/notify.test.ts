import { once } from 'node:events';
import t from 'tap';
import { bodyOf } from '../../src/control/notify/bodies.ts';
import { createNotifier, type NotifierDeps, type NotifyMessage } from '../../src/control/notify.ts';
import { NOTIFY_KINDS, type Notification } from '../../src/core/rollout/plan.ts';
import { until, within } from '../support/wait.ts';
import { closedPort, receiver } from './receiver.ts';
import { memoryLog } from './support.ts';

function message(over: Partial<NotifyMessage> = {}): NotifyMessage {
  return {
    kind: 'aborted',
    service: 'iris-api',
    number: 3,
    stable: 'v1',
    canary: 'v2',
    step: 2,
    steps: 7,
    weight: 25,
    cause: 'metric success-rate failed: 4 failed, limit 3',
    actor: 'coalmine',
    evidence: ['success-rate [0.97] against result[0] >= 0.99'],
    wallMs: 1_700_000_000_000,
    ...over,
  };
}

function target(url: string, over: Partial<Notification> = {}): Notification {
  return { url, format: 'plain', on: NOTIFY_KINDS, headers: [], timeoutMs: 5_000, ...over };
}

function setup(over: Partial<NotifierDeps> = {}) {
  const log = memoryLog();
  const sleeps: number[] = [];
  let ids = 0;
  const notify = createNotifier({
    log,
    random: () => 0,
    sleep: async (ms) => {
      sleeps.push(ms);
    },
    newId: () => `id-${++ids}`,
    ...over,
  });
  return { log, sleeps, notify };
}

const plain = (body: string | undefined) => JSON.parse(body ?? '') as Record<string, unknown>;

t.test('only targets that want the kind get it', async (t) => {
  const server = await receiver(t);
  const { notify } = setup();
  const targets = [
    target(`${server.url}/all`),
    target(`${server.url}/some`, { on: ['aborted', 'completed'] }),
  ];
  for (const kind of NOTIFY_KINDS) notify(targets, message({ kind }));
  await notify.close(10_000);
  const events = (path: string) =>
    server.got.filter((request) => request.path === path).map(({ body }) => plain(body).event);
  t.strictSame(events('/all'), NOTIFY_KINDS);
  t.strictSame(events('/some'), ['aborted', 'completed']);
});

t.test('a plain body', async (t) => {
  const server = await receiver(t);
  const { notify } = setup();
  notify(
    [target(server.url, { headers: [{ name: 'x-team', value: 'iris' }] })],
    message({ gateway: 'eu-1' }),
  );
  await notify.close(10_000);
  const [request] = server.got;
  t.match(request, { method: 'POST', headers: { 'content-type': 'application/json', 'x-team': 'iris' } });
  t.strictSame(plain(request?.body), {
    id: 'id-1',
    event: 'aborted',
    title: 'iris-api: rollout of v2 aborted',
    service: 'iris-api',
    number: 3,
    stable: 'v1',
    canary: 'v2',
    step: 2,
    steps: 7,
    weight: 25,
    cause: 'metric success-rate failed: 4 failed, limit 3',
    actor: 'coalmine',
    gateway: 'eu-1',
    evidence: ['success-rate [0.97] against result[0] >= 0.99'],
    time: '2023-11-14T22:13:20.000Z',
  });
});

t.test('a CloudEvent has what the standard asks for', async (t) => {
  for (const kind of NOTIFY_KINDS) {
    const { contentType, text } = bodyOf('cloudevents', message({ kind, gateway: 'eu west' }), 'id-7');
    t.equal(contentType, 'application/cloudevents+json; charset=utf-8');
    const { data, ...context } = JSON.parse(text);
    t.strictSame(context, {
      specversion: '1.0',
      id: 'id-7',
      source: '/coalmine/eu%20west',
      type: `io.coalmine.rollout.${kind}`,
      subject: 'iris-api',
      time: '2023-11-14T22:13:20.000Z',
      datacontenttype: 'application/json',
    });
    t.match(data, { event: kind, service: 'iris-api', weight: 25 });
  }
  t.equal(JSON.parse(bodyOf('cloudevents', message(), 'x').text).source, '/coalmine');
});

t.test('ids differ between messages and stay the same over attempts', async (t) => {
  const server = await receiver(t, (response, index) => response.writeHead(index < 2 ? 500 : 200).end());
  const log = memoryLog();
  const notify = createNotifier({ log, sleep: async () => undefined });
  notify([target(server.url, { format: 'cloudevents' })], message());
  notify([target(server.url, { format: 'cloudevents' })], message());
  await notify.close(10_000);
  const ids = server.got.map(({ body }) => plain(body).id);
  t.equal(ids.length, 4);
  t.strictSame(ids.slice(0, 3), [ids[0], ids[0], ids[0]]);
  t.not(ids[3], ids[0]);
  t.match(ids[0], /^[0-9a-f-]{36}$/);
});

t.test('a Slack body: colour by kind, and nothing in it can become a mention or a link', async (t) => {
  const colors = NOTIFY_KINDS.map((kind) => {
    const { attachments } = JSON.parse(bodyOf('slack', message({ kind }), '').text);
    return attachments[0].color;
  });
  t.match(colors, [/^#/, /^#/, /^#/, /^#/, /^#/]);
  t.equal(new Set(colors).size, 4, 'started and step are alike');
  const { text } = bodyOf(
    'slack',
    message({
      service: '<!channel>',
      canary: 'v2&amp;',
      cause: 'result[0] >= 0.99 && <http://x|y>',
      evidence: ['a < b', '<@U1>'],
      actor: '<@here>',
      gateway: '<g>',
    }),
    '',
  );
  t.notMatch(text, /[<>]/);
  t.notMatch(text, /&(?!amp;|lt;|gt;)/);
  const body = JSON.parse(text);
  t.equal(body.text, '&lt;!channel&gt;: rollout of v2&amp;amp; aborted');
  t.equal(
    body.attachments[0].text,
    'result[0] &gt;= 0.99 &amp;&amp; &lt;http://x|y&gt;\n• a &lt; b\n• &lt;@U1&gt;',
  );
  t.match(body.attachments[0].fields, [
    { title: 'Versions', value: 'v1 → v2&amp;amp;', short: true },
    { title: 'Weight', value: '25 %' },
    { title: 'Step', value: '3 of 7' },
    { title: 'Rollout', value: '3' },
    { title: 'By', value: '&lt;@here&gt;' },
  ]);
  const outside = JSON.parse(bodyOf('slack', message({ step: null }), '').text);
  t.notMatch(JSON.stringify(outside), /"Step"/);
});

t.test('long evidence is cut', async (t) => {
  const evidence = Array.from({ length: 100 }, () => 'x'.repeat(10_000));
  for (const format of ['plain', 'slack', 'cloudevents'] as const) {
    const { text } = bodyOf(format, message({ evidence, cause: 'y'.repeat(300) }), 'id');
    t.ok(text.length < 13_000, `${format}: ${text.length}`);
    t.match(text, /… and 80 more/);
  }
});

t.test('one target gets its messages in order, however slow, and delays no other', async (t) => {
  let release: () => void = () => undefined;
  const slow = await receiver(t, (response, index) => {
    if (index === 0) release = () => response.end();
    else response.end();
  });
  const quick = await receiver(t);
  const { notify, log } = setup();
  for (let number = 0; number < 10; number++) {
    notify([target(slow.url), target(quick.url)], message({ number }));
  }
  await quick.count(10);
  await slow.count(1);
  t.equal(slow.got.length, 1, 'the first is not answered yet');
  release();
  await notify.close(10_000);
  const wanted = Array.from({ length: 10 }, (_, number) => number);
  for (const { got } of [slow, quick])
    t.strictSame(
      got.map(({ body }) => plain(body).number),
      wanted,
    );
  t.strictSame(log.lines, []);
});

t.test('three attempts, then one line in the log without secrets', async (t) => {
  const server = await receiver(t, (response, _, { path, headers }) =>
    response.writeHead(503).end(`${headers.authorization} ${path.length}`),
  );
  const { notify, log, sleeps } = setup();
  const headers = [{ name: 'Authorization', value: 'Bearer top-secret' }];
  notify([target(`${server.url}/services/T0/SECRETPATH`, { headers, format: 'slack' })], message());
  await notify.close(10_000);
  t.equal(server.got.length, 3);
  t.strictSame(sleeps, [1_000, 2_000]);
  t.equal(log.lines.length, 1);
  t.match(log.lines[0], {
    level: 'warn',
    fields: { target: `127.0.0.1:${server.port}`, format: 'slack', service: 'iris-api', event: 'aborted' },
    message: /^notification failed: 503: \*\*\* /,
  });
  t.notMatch(JSON.stringify(log.lines), /top-secret|SECRETPATH/);
});

t.test('a refusal is not tried again; nor is what cannot be sent', async (t) => {
  const server = await receiver(t, (response) => response.writeHead(404).end('no_service'));
  const { notify, log, sleeps } = setup();
  notify([target(server.url), target('http://')], message());
  await notify.close(10_000);
  t.equal(server.got.length, 1);
  t.strictSame(sleeps, []);
  t.strictSame(log.lines.map(({ message }) => message).sort(), [
    'notification failed: 404: no_service',
    'notification failed: could not be sent (ERR_INVALID_URL)',
  ]);
});

t.test('a dead target, and one that never answers', async (t) => {
  const silent = await receiver(t, () => undefined);
  const { notify, log } = setup();
  const dead = `http://127.0.0.1:${await closedPort()}`;
  notify([target(dead), target(silent.url, { timeoutMs: 50 })], message());
  await notify.close(10_000);
  t.equal(silent.got.length, 3);
  t.strictSame(log.lines.map(({ message }) => message).sort(), [
    'notification failed: could not be reached (ECONNREFUSED)',
    'notification failed: no answer within 50 ms',
  ]);
});

t.test('a message that cannot be made is told, and the next one is sent', async (t) => {
  const server = await receiver(t);
  const { notify, log } = setup();
  notify([target(server.url)], message({ wallMs: Number.NaN }));
  notify([target(server.url)], message());
  await notify.close(10_000);
  t.equal(server.got.length, 1);
  t.match(log.lines, [{ level: 'error', message: /could not be made/ }]);
});

t.test('the queue of a target is bounded: the oldest go, counted and logged', async (t) => {
  let release: () => void = () => undefined;
  const server = await receiver(t, (response, index) => {
    if (index === 0) release = () => response.end();
    else response.end();
  });
  const { notify, log } = setup();
  notify([target(server.url)], message({ number: 0 }));
  await server.count(1);
  for (let number = 1; number <= 260; number++) notify([target(server.url)], message({ number }));
  t.equal(notify.dropped(), 4);
  t.equal(log.lines.length, 4);
  t.match(log.lines[3], { level: 'warn', fields: { number: 4, dropped: 4 }, message: /more than 256 wait/ });
  release();
  await notify.close(20_000);
  const numbers = server.got.map(({ body }) => plain(body).number);
  t.strictSame(numbers, [0, ...Array.from({ length: 256 }, (_, index) => index + 5)]);
});

t.test('the end waits for what is under way, but not for ever', async (t) => {
  const silent = await receiver(t, () => undefined);
  const { notify, log } = setup({ sleep: (_, signal) => once(signal, 'abort').then(() => undefined) });
  notify([target(silent.url)], message({ number: 1 }));
  notify([target(silent.url)], message({ number: 2 }));
  await silent.count(1);
  await within(notify.close(50), 'the end of the grace');
  t.match(
    log.lines.map(({ message }) => message),
    ['notification failed: given up before an answer came', 'notification not sent: the gateway ends'],
  );
  t.equal(notify.dropped(), 1);
  notify([target(silent.url)], message({ number: 3 }));
  t.equal(notify.dropped(), 2, 'and nothing is taken any more');
  await notify.close(0);
  t.equal(silent.got.length, 1);
});

t.test('the end of a notifier that has nothing to do comes at once', async (t) => {
  const server = await receiver(t);
  const { notify } = setup();
  await within(notify.close(60_000), 'the end', 5_000);
  const used = setup().notify;
  used([target(server.url)], message());
  await within(used.close(60_000), 'the end after the last message', 5_000);
  await until(() => server.got.length === 1, 'the message');
  t.equal(server.got.length, 1);
});

t.test('it never throws and sends nothing before it returns', async (t) => {
  const server = await receiver(t);
  const { notify } = setup();
  t.doesNotThrow(() => notify([], message()));
  t.equal(notify([target(server.url)], message()), undefined);
  t.equal(server.got.length, 0);
  await notify.close(10_000);
  t.equal(server.got.length, 1);
});
