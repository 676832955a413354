import t, { type Test } from 'tap';
import { follow, type LiveNews, retryAfterMs } from '../../src/dashboard/net/live.ts';
import { overview } from '../support/dashboard/scenes.ts';

/** Follows a gateway that answers in turn as `answers` say; ends when they are used up. */
async function followed(
  t: Test,
  answers: (() => Response | Promise<Response>)[],
  service: string | null = null,
): Promise<{ news: LiveNews[]; asked: { url: string; authorization: string | null }[]; slept: number[] }> {
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const news: LiveNews[] = [];
  const asked: { url: string; authorization: string | null }[] = [];
  const slept: number[] = [];
  await follow(
    service,
    {
      fetch: async (url, init) => {
        asked.push({ url: String(url), authorization: new Headers(init?.headers).get('authorization') });
        const next = answers[asked.length - 1];
        if (next !== undefined) return next();
        stop.abort();
        throw new TypeError('ended');
      },
      token: () => 'secret',
      tell: (one) => void news.push(one),
      random: () => 0.5,
      sleep: async (ms) => void slept.push(ms),
    },
    stop.signal,
  );
  return { news, asked, slept };
}

const event = (text: string) => () => new Response(text);
const OVERVIEW = `event: overview\ndata: ${JSON.stringify({ overview: overview([]) })}\n\n`;

t.test('events come as they are named, and an end is told with the next attempt', async (t) => {
  const { news, asked, slept } = await followed(t, [event(OVERVIEW)], 'a b');
  t.match(news, [
    { kind: 'opened' },
    { kind: 'live', event: { kind: 'overview', overview: { phase: 'ready' } } },
    { kind: 'lost', why: 'the gateway closed the connection', retryInMs: 500 },
  ]);
  t.match(asked[0], { url: 'api/v1/events?service=a%20b', authorization: 'Bearer secret' });
  t.strictSame(slept, [500]);
});

t.test('it waits longer from failure to failure, and begins anew after an event', async (t) => {
  const dead = () => {
    throw new TypeError('fetch failed');
  };
  const { news, slept } = await followed(t, [dead, dead, dead, dead, dead, event(OVERVIEW), dead]);
  t.strictSame(slept, [500, 1000, 2000, 4000, 5000, 500, 1000]);
  t.match(news[0], { kind: 'lost', why: 'the gateway cannot be reached' });
});

t.test('a wanted token ends it', async (t) => {
  const { news, asked } = await followed(t, [() => new Response('{}', { status: 401 })]);
  t.strictSame(news, [{ kind: 'denied' }]);
  t.equal(asked.length, 1);
});

t.test('of a service that is not there it tells so, and goes on with what there is', async (t) => {
  const { news, asked } = await followed(
    t,
    [
      () => Response.json({ error: 'unknown_service', message: 'there is no service x' }, { status: 404 }),
      event(OVERVIEW),
    ],
    'x',
  );
  t.match(news, [{ kind: 'absent', message: 'there is no service x' }, { kind: 'opened' }, { kind: 'live' }]);
  t.strictSame(
    asked.slice(0, 2).map(({ url }) => url),
    ['api/v1/events?service=x', 'api/v1/events'],
  );
});

t.test('what cannot be read is told, and what is of a newer gateway is left out', async (t) => {
  const { news } = await followed(t, [
    event(`event: weather\ndata: {"sun":true}\n\n${OVERVIEW}`),
    event('event: overview\ndata: {broken\n\n'),
    () => new Response('', { status: 503 }),
  ]);
  t.strictSame(
    news.map((one) => (one.kind === 'lost' ? one.why : one.kind)),
    [
      'opened',
      'live',
      'the gateway closed the connection',
      'opened',
      'the gateway sent what cannot be read',
      'the gateway answered 503',
    ],
  );
});

t.test('pages do not come back all at once', async (t) => {
  t.strictSame(
    [retryAfterMs(0, 0), retryAfterMs(0, 1), retryAfterMs(99, 0), retryAfterMs(99, 1)],
    [375, 625, 3750, 6250],
  );
});
