import t, { type Test } from 'tap';
import { serve } from '../support/gateway.ts';
import { headerOf, textOf } from '../support/http1.ts';
import { answer, type Call, polite, startOrigin } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { canary, service, single, split, version } from '../support/split.ts';
import { clientOf, countedFor } from './client.ts';

/** An origin that answers `name`, but holds requests for /held until told. */
async function namedOrigin(t: Test, name: string) {
  const held: Call[] = [];
  const origin = await startOrigin(t, async (call) => {
    if (call.message.target === '/held') return held.push(call);
    await call.body();
    return call.write(answer(200, name));
  });
  return { origin, held, url: origin.url };
}

t.test('a request under way finishes on its old upstream, the next goes to the new one', async (t) => {
  const old = await namedOrigin(t, 'old');
  const next = await namedOrigin(t, 'new');
  const gateway = await serve(t, single(old.url));
  const busy = await connectRaw({ port: gateway.port });
  busy.send(head('GET /held HTTP/1.1'));
  await old.origin.until(() => old.held.length === 1, 'the held request');

  gateway.gateway.swap(single(next.url, { stage: 1 }));
  const client = clientOf(t, gateway.url);
  t.equal((await client('/')).body, 'new', 'the swap is in force at once');

  await old.held[0]?.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nold\r\n');
  await busy.until(() => busy.answers[0]?.bodyBytes === 3, 'the first part');
  await old.held[0]?.write('0\r\n\r\n');
  await busy.whole();
  t.equal(textOf(busy.answers[0]!), 'old');
  t.equal(busy.answers[0]?.complete, true);
  busy.send(head('GET /again HTTP/1.1'));
  await busy.whole(2);
  t.equal(textOf(busy.answers[1]!), 'new', 'on the same connection of the client');

  const stages = gateway.recorder
    .tallies()
    .map(({ stage, requests }) => [stage, requests.reduce((a, b) => a + b)]);
  t.strictSame(stages, [
    [0, 1],
    [1, 2],
  ]);
  await old.origin.until(() => old.origin.open().length === 0, 'the old upstream’s connections to be closed');
});

t.test('a request reads one Split: what its head was decided by, its body goes by too', async (t) => {
  const old = await namedOrigin(t, 'old');
  const next = await namedOrigin(t, 'new');
  const gateway = await serve(t, single(old.url));
  const client = await connectRaw({ port: gateway.port });
  client.send(head('POST / HTTP/1.1', 'Transfer-Encoding: chunked'));
  client.send('3\r\nabc\r\n');
  await old.origin.arrived(1);
  gateway.gateway.swap(single(next.url, { maxBodyBytes: 1 }));
  client.send('3\r\ndef\r\n0\r\n\r\n');
  await client.whole();
  t.equal(textOf(client.answers[0]!), 'old');
  t.equal(Buffer.concat(old.origin.requests[0]!.message.chunks).toString(), 'abcdef');
  t.equal(next.origin.connections.length, 0);
});

t.test('an upstream that a swap leaves alone keeps its connections', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const client = clientOf(t, gateway.url, { maxSockets: 1 });
  for (let i = 0; i < 20; i++) {
    t.equal((await client(`/${i}`)).status, 200);
    gateway.gateway.swap(single(origin.url, { stage: i, maxBodyBytes: 1_000 + i }));
  }
  t.equal(origin.connections.length, 1);
});

t.test('a Split that cannot be served is refused whole, and the old one stays', async (t) => {
  const origin = await namedOrigin(t, 'old');
  const next = await namedOrigin(t, 'new');
  const good = single(origin.url);
  const gateway = await serve(t, good);
  const client = clientOf(t, gateway.url);
  const pattern = (source: string) =>
    single(next.url, {
      rules: [
        {
          id: 'rules[0]',
          when: { kind: 'path', match: { kind: 'pattern', source } },
          then: { kind: 'use', version: 0 },
        },
      ],
    });
  const twice = service([version('v1', next.url)], { name: 'twin' });
  const bad = {
    'a pattern that is none': pattern('('),
    'a pattern that is not linear': pattern('(a)\\1'),
    'two services for the same requests': split([twice, { ...twice, name: 'other' }]),
    'an endpoint that is no URL': single([next.url, 'not a url']),
    'a range that is none': { ...single(next.url), trustProxy: ['10.0.0.0/99'] },
  };
  for (const [name, one] of Object.entries(bad)) {
    t.throws(() => gateway.gateway.swap(one), name);
    t.equal((await client('/')).body, 'old', name);
  }
  t.strictSame(
    gateway.gateway.endpoints().map(({ endpoint }) => endpoint),
    [origin.url],
  );
  t.equal(next.origin.connections.length, 0);
});

t.test('whom to believe changes with the Split, on open connections too', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  const ask = async (count: number) => {
    client.send(head('GET / HTTP/1.1', 'X-Forwarded-For: 198.51.100.1'));
    await client.whole(count);
    return headerOf(origin.requests[count - 1]!.message, 'x-forwarded-for');
  };
  t.equal(await ask(1), '127.0.0.1');
  gateway.gateway.swap({ ...single(origin.url), trustProxy: ['127.0.0.0/8'] });
  t.equal(await ask(2), '198.51.100.1, 127.0.0.1');
});

t.test('swaps under traffic: every request is answered whole, by a version of its time', async (t) => {
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => namedOrigin(t, name)));
  const gateway = await serve(t, canary(a!.url, b!.url, 5_000));
  const client = clientOf(t, gateway.url);
  const seen = new Map<string, number>();
  let swaps = 0;
  const worker = async (id: number) => {
    while (swaps < 60) {
      const reply = await client('/', {
        method: 'POST',
        body: 'x'.repeat(1_000),
        headers: { 'x-user-id': `${id}` },
      });
      if (reply.status !== 200) throw new Error(`${reply.status} ${reply.body}`);
      seen.set(reply.body, (seen.get(reply.body) ?? 0) + 1);
    }
  };
  const swapping = async () => {
    const urls = [a!.url, b!.url, c!.url];
    for (; swaps < 60; swaps++) {
      const [stable, next] = [urls[swaps % 3] as string, urls[(swaps + 1) % 3] as string];
      gateway.gateway.swap(canary(stable, next, (swaps * 999) % 10_000, { stage: swaps }));
      await client('/');
    }
  };
  await Promise.all([swapping(), ...Array.from({ length: 8 }, (_, id) => worker(id))]);
  t.strictSame([...seen.keys()].sort(), ['a', 'b', 'c']);
  const answered = [...seen.values()].reduce((sum, count) => sum + count, 0);
  const lifetime = gateway.recorder.lifetime();
  t.equal(
    lifetime.reduce((sum, { requests }) => sum + requests.reduce((x, y) => x + y, 0), 0),
    answered + 60,
    'each counted once, whatever its stage',
  );
  t.equal(gateway.inFlight(), 0);
});

t.test('a service that leaves is no longer found; one that comes is', async (t) => {
  const origin = await startOrigin(t, polite);
  const one = service([version('v1', origin.url)], { name: 'one', path: '/one' });
  const two = service([version('v1', origin.url)], { name: 'two', path: '/two' });
  const gateway = await serve(t, split([one]));
  const client = clientOf(t, gateway.url);
  t.equal((await client('/one')).status, 200);
  t.equal((await client('/two')).status, 404);
  gateway.gateway.swap(split([two]));
  t.equal((await client('/one')).status, 404);
  t.equal((await client('/two')).status, 200);
  t.strictSame(countedFor(gateway, 'v1', 'two'), { 'GET 200': 1 });
});
