import http from 'node:http';
import net from 'node:net';
import t, { type Test } from 'tap';
import { MAX_STREAMS } from '../../src/admin/streams.ts';
import type { LiveEvent, OverviewView } from '../../src/control/api.ts';
import { rolloutView } from '../control/support.ts';
import { Bell, until } from '../support/wait.ts';
import { startTestAdmin } from './support.ts';

/** Streams of events over real sockets. */

const overview = (changes: Partial<OverviewView> = {}): LiveEvent => ({
  kind: 'overview',
  overview: { atMs: 1, revision: 12, phase: 'ready', reloadFailure: null, services: [], ...changes },
});

interface Reader {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly events: readonly { readonly kind: string; readonly data: unknown }[];
  text(): string;
  ended(): boolean;
  until(holds: () => boolean, what: string): Promise<void>;
  leave(): void;
}

/** Opens a stream and reads it. */
function read(
  t: Test,
  url: string,
  path = '/api/v1/events',
  headers: Record<string, string> = {},
): Promise<Reader> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = http.get({ hostname, port, path, headers, agent: false }, (response) => {
      const bell = new Bell();
      let text = '';
      let ended = false;
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        bell.ring();
      });
      response.on('close', () => {
        ended = true;
        bell.ring();
      });
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        get events() {
          return eventsIn(text);
        },
        text: () => text,
        ended: () => ended,
        until: (holds, what) => bell.until(holds, () => `${what}; read: ${text.slice(0, 500)}`),
        leave: () => request.destroy(),
      });
    });
    request.on('error', reject);
    t.teardown(() => request.destroy());
  });
}

function eventsIn(text: string) {
  return text
    .split('\n\n')
    .slice(0, -1)
    .flatMap((block) => {
      const event = /^event: (\w+)\ndata: (.+)$/.exec(block);
      return event === null
        ? []
        : [{ kind: event[1] as string, data: JSON.parse(event[2] as string) as unknown }];
    });
}

t.test('events go out as they come, each with its name', async (t) => {
  const { admin, control } = await startTestAdmin(t);
  const reader = await read(t, admin.url, '/api/v1/events?service=iris-api');
  t.equal(reader.status, 200);
  t.equal(reader.headers['content-type'], 'text/event-stream; charset=utf-8');
  t.equal(reader.headers['cache-control'], 'no-store');
  t.equal(reader.headers['x-content-type-options'], 'nosniff', 'what every answer carries');
  t.strictSame([...control.live.sinks.values()], ['iris-api']);

  control.live.tell(overview());
  const rollout = rolloutView({ message: 'two\nlines, and a snowman: \u2603' });
  control.live.tell({ kind: 'rollout', rollout });
  await reader.until(() => reader.events.length === 2, 'two events');
  t.match(reader.text(), /^retry: \d+\n\n/);
  t.strictSame(reader.events, [
    {
      kind: 'overview',
      data: { overview: { atMs: 1, revision: 12, phase: 'ready', reloadFailure: null, services: [] } },
    },
    { kind: 'rollout', data: { rollout: JSON.parse(JSON.stringify(rollout)) } },
  ]);
  control.live.tell(overview({ revision: 13 }));
  await reader.until(() => reader.events.length === 3, 'a third one');
});

t.test('without a service everything is watched', async (t) => {
  const { admin, control } = await startTestAdmin(t);
  await read(t, admin.url);
  t.strictSame([...control.live.sinks.values()], [null]);
});

t.test('fetch reads it, with a token in its header', async (t) => {
  const { admin, control } = await startTestAdmin(t, { token: 's3cret' });
  const refused = await fetch(`${admin.url}/api/v1/events`);
  t.equal(refused.status, 401);
  await refused.body?.cancel();
  t.equal(control.live.sinks.size, 0, 'nothing is told to those who are not let in');

  const abort = new AbortController();
  const response = await fetch(`${admin.url}/api/v1/events`, {
    headers: { authorization: 'Bearer s3cret', accept: 'text/event-stream' },
    signal: abort.signal,
  });
  t.equal(response.status, 200);
  control.live.tell(overview());
  let text = '';
  for await (const part of response.body ?? []) {
    text += Buffer.from(part).toString();
    if (eventsIn(text).length > 0) break;
  }
  t.equal(eventsIn(text)[0]?.kind, 'overview');
  abort.abort();
  await until(() => control.live.sinks.size === 0, 'the end of the watch');
});

t.test('a rebound name, and a page of another origin, read nothing', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  t.equal((await ask('/api/v1/events', { headers: { host: 'rebound.example.com' } })).status, 421);
  t.equal(control.live.sinks.size, 0);
});

t.test('bad questions', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  const table: readonly (readonly [string, number, string])[] = [
    ['?service=nobody', 404, 'unknown_service'],
    ['?servcie=iris-api', 400, 'bad_request'],
    ['?service=iris-api&service=iris-api', 400, 'bad_request'],
    ['?service=', 404, 'unknown_service'],
  ];
  for (const [query, status, error] of table) {
    const answer = await ask(`/api/v1/events${query}`);
    t.equal(answer.status, status, query);
    t.equal(answer.json().error, error);
  }
  t.equal(control.live.sinks.size, 0);
});

t.test('a reader that leaves is forgotten', async (t) => {
  const { admin, control } = await startTestAdmin(t);
  const reader = await read(t, admin.url);
  const other = await read(t, admin.url);
  t.equal(control.live.sinks.size, 2);
  reader.leave();
  await until(() => control.live.sinks.size === 1, 'one to leave');
  control.live.tell(overview());
  await other.until(() => other.events.length === 1, 'the other one is told all the same');
});

t.test('so many streams and no more, and room again when one leaves', async (t) => {
  const { admin, ask, control } = await startTestAdmin(t);
  const readers = await Promise.all(Array.from({ length: MAX_STREAMS }, () => read(t, admin.url)));
  t.ok(readers.every(({ status }) => status === 200));
  const refused = await ask('/api/v1/events');
  t.equal(refused.status, 503);
  t.match(refused.json(), { error: 'too_many_streams', message: /64 streams are open/ });
  t.equal(refused.headers['retry-after'], '5');
  t.equal((await ask('/api/v1/services')).status, 200, 'everything else is answered');
  readers[0]?.leave();
  await until(() => control.live.sinks.size === MAX_STREAMS - 1, 'one to leave');
  t.equal((await read(t, admin.url)).status, 200);
});

t.test('a reader that does not read is dropped, and others go on', async (t) => {
  const { admin, control, streams, log } = await startTestAdmin(t);
  const { hostname, port } = new URL(admin.url);
  const socket = net.connect(Number(port), hostname).pause();
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write('GET /api/v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
  const reader = await read(t, admin.url);
  await until(() => control.live.sinks.size === 2, 'both');

  const message = 'x'.repeat(64 * 1024);
  let told = 0;
  await until(() => {
    control.live.tell(overview({ revision: told++, reloadFailure: { atMs: 0, message } }));
    return control.live.sinks.size === 1;
  }, 'the slow one to be dropped');
  t.match(log.lines, [{ level: 'warn', message: /too slow/ }]);
  t.strictSame(streams.counts(), { open: 1, dropped: 1 });
  await reader.until(() => reader.events.length === told, 'all of it');
  t.notOk(reader.ended());
});

t.test('an event larger than what may wait is no reason to drop a reader', async (t) => {
  const { admin, control } = await startTestAdmin(t);
  const reader = await read(t, admin.url);
  control.live.tell(overview({ reloadFailure: { atMs: 0, message: 'x'.repeat(3 << 20) } }));
  await reader.until(() => reader.events.length === 1, 'the large one');
  control.live.tell(overview());
  await reader.until(() => reader.events.length === 2, 'the next one');
});

t.test('closing ends the streams at once', async (t) => {
  const { admin, control } = await startTestAdmin(t);
  const reader = await read(t, admin.url);
  control.live.tell(overview({ phase: 'draining' }));
  await admin.close();
  await reader.until(() => reader.ended(), 'the end');
  t.match(
    reader.events.at(-1)?.data,
    { overview: { phase: 'draining' } },
    'and what came before it was told',
  );
  t.equal(control.live.sinks.size, 0);
});
