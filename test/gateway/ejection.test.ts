import t, { type Test } from 'tap';
import { serve } from '../support/gateway.ts';
import { answer, type Origin, polite, type Script, startOrigin } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { single, type UpstreamOptions } from '../support/split.ts';
import { until } from '../support/wait.ts';
import { clientOf } from './client.ts';

const EJECTION = { consecutiveFailures: 3, baseMs: 60_000, maxMs: 600_000 };

async function scene(t: Test, bad: Script, count = 2, options: UpstreamOptions = {}) {
  const origins: Origin[] = [];
  for (let i = 0; i < count; i++) origins.push(await startOrigin(t, i === 0 ? bad : polite));
  const gateway = await serve(
    t,
    single(
      origins.map(({ url }) => url),
      { upstream: { ejection: EJECTION, retry: { retries: 0 }, ...options } },
    ),
  );
  const client = clientOf(t, gateway.url);
  const ask = async (times: number) => {
    const statuses: number[] = [];
    for (let i = 0; i < times; i++) statuses.push((await client('/', { method: 'POST', body: 'x' })).status);
    return statuses;
  };
  const ejected = () => gateway.gateway.endpoints().map(({ ejectedUntilMs }) => ejectedUntilMs !== null);
  return { gateway, origins, ask, ejected };
}

const failures: Record<string, { script: Script; status: number; options?: UpstreamOptions }> = {
  '5xx answers': { script: (call) => call.write(answer(500, 'x')), status: 500 },
  'broken connections': { script: (call) => call.reset(), status: 502 },
  'answers that are none': { script: (call) => call.write('NONSENSE\r\n\r\n'), status: 502 },
  'time-outs': { script: () => {}, status: 504, options: { timeouts: { totalMs: 60 } } },
};

for (const [name, { script, status, options }] of Object.entries(failures)) {
  t.test(`an endpoint is ejected for ${name} in a row`, async (t) => {
    const { ask, ejected, origins, gateway } = await scene(t, script, 2, options);
    const statuses = await ask(6);
    t.equal(statuses.filter((one) => one === status).length, 3, String(statuses));
    t.strictSame(ejected(), [true, false]);
    t.strictSame(await ask(6), Array(6).fill(200));
    t.equal(origins[0]?.requests.length, 3, 'it is asked no more');
    const [until] = gateway.gateway.endpoints().map(({ ejectedUntilMs }) => ejectedUntilMs);
    t.ok((until ?? 0) > performance.now() + 30_000, 'for the base time');
  });
}

t.test('4xx answers and cancelled requests eject nobody', async (t) => {
  const { ask, ejected, origins, gateway } = await scene(t, (call) => call.write(answer(429, 'x')));
  t.strictSame((await ask(12)).filter((status) => status === 429).length, 6);
  t.strictSame(ejected(), [false, false]);
  for (const origin of origins) origin.script = () => {};
  for (let i = 0; i < 8; i++) {
    const seen = origins[0]!.requests.length + origins[1]!.requests.length;
    const client = await connectRaw({ port: gateway.port });
    client.send(head('GET / HTTP/1.1'));
    await until(() => origins[0]!.requests.length + origins[1]!.requests.length > seen, 'the request');
    client.reset();
  }
  await gateway.quiet();
  t.strictSame(ejected(), [false, false]);
  t.equal(gateway.counted()['GET 499'], 8);
});

t.test('a success between failures starts the count anew', async (t) => {
  const { ask, ejected } = await scene(t, (call) => call.write(answer(call.nth % 3 === 2 ? 200 : 500, 'x')));
  await ask(24);
  t.strictSame(ejected(), [false, false]);
});

t.test('an ejected endpoint comes back, and goes for longer when it fails again', async (t) => {
  const ejection = { consecutiveFailures: 2, baseMs: 60, maxMs: 60_000 };
  const { ask, ejected, gateway, origins } = await scene(t, (call) => call.write(answer(500, 'x')), 2, {
    ejection,
  });
  const lasted: number[] = [];
  for (let round = 0; round < 3; round++) {
    let beforeMs = 0;
    await until(async () => {
      beforeMs = performance.now();
      await ask(1);
      return ejected()[0] === true;
    }, 'the ejection');
    const [first] = gateway.gateway.endpoints();
    lasted.push((first?.ejectedUntilMs ?? 0) - beforeMs);
    await until(() => ejected()[0] === false, 'the end of the ejection');
  }
  for (const [round, ms] of lasted.entries()) t.ok(ms >= 60 * (round + 1), `round ${round}: ${ms} ms`);
  t.ok(origins[0]!.requests.length >= 6);
  origins[0]!.script = polite;
  t.strictSame(await ask(4), [200, 200, 200, 200]);
});

t.test('never more than half: of three bad ones two stay in', async (t) => {
  const { ask, ejected, origins } = await scene(t, polite, 3);
  for (const origin of origins) origin.script = (call) => call.write(answer(500, 'x'));
  await ask(30);
  t.equal(ejected().filter(Boolean).length, 1);
});

t.test('a single endpoint is never ejected', async (t) => {
  const { ask, ejected } = await scene(t, (call) => call.write(answer(500, 'x')), 1);
  t.strictSame(await ask(8), Array(8).fill(500));
  t.strictSame(ejected(), [false]);
});
