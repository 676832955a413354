import t from 'tap';
import { createWindows } from '../../src/control/windows.ts';
import type { Provider, TallyRead } from '../../src/core/analysis/plan.ts';
import type { Tally } from '../../src/core/tally.ts';
import type { MeasureContext } from '../../src/ports.ts';
import { Recorder } from '../../src/tally/recorder.ts';
import { answer, startOrigin } from '../support/origin.ts';
import { request, serviceOf } from '../tally/support.ts';
import { CONTEXT, metric, prometheus, startSource, value, web } from './sources-support.ts';

const coalmine = (read: Partial<TallyRead>): Provider => ({
  kind: 'coalmine',
  read: { measure: 'successRate', quantile: 0.5, of: 'canary', relative: null, windowMs: 60_000, ...read },
});

function traffic() {
  const clock = { now: 0, nowMs: () => clock.now, wallMs: () => 0 };
  const recorder = new Recorder();
  const [v1, v2] = recorder.open(serviceOf('svc', ['v1', 'v2'])) as [Tally, Tally];
  const windows = createWindows(() => recorder.lifetimeTotals(), clock, 1);
  windows.look();
  const second = (stable: number, canary: number, bad: number) => {
    for (let i = 0; i < stable; i++) request(v1);
    for (let i = 0; i < canary; i++) request(v2, { durationMs: 50, status: i < bad ? 500 : 200 });
    clock.now += 1_000;
    windows.look();
  };
  return { clock, windows, second };
}

t.test("reads the gateway's own counters", async (t) => {
  const { windows, clock, second } = traffic();
  for (let i = 0; i < 20; i++) second(30, 10, 1);
  const { ask } = startSource(t, { windows, clock });
  const read = async (of: Partial<TallyRead>) => {
    const outcome = await ask(coalmine(of));
    return outcome.kind === 'value' ? outcome.value : outcome;
  };
  t.equal(await read({}), 0.9);
  t.equal(await read({ measure: 'errorRatio' }), 0.1);
  t.equal(await read({ of: 'stable' }), 1);
  t.equal(await read({ measure: 'requests', windowMs: 5_000 }), 50);
  t.equal(await read({ measure: 'rate', windowMs: 5_000 }), 10);
  t.equal(await read({ relative: 'ratio' }), 0.9);
  t.equal(await read({ measure: 'latency' }), 55, 'half way from 10 ms to 100 ms');
});

t.test('only what lies within the run is judged', async (t) => {
  const { windows, clock, second } = traffic();
  for (let i = 0; i < 10; i++) second(10, 10, 10);
  for (let i = 0; i < 10; i++) second(10, 10, 0);
  const { source } = startSource(t, { windows, clock });
  const measure = (runningMs: number) =>
    source.measure(
      metric(coalmine({}), { minSamples: { count: 10, query: null } }),
      { ...CONTEXT, runningMs },
      new AbortController().signal,
    );
  t.same(await measure(20_000), value(0.5, 200));
  t.same(await measure(10_000), value(1, 100), 'the bad ones were before');
  t.match(await measure(0), { kind: 'noData' });
});

t.test('minSamples without a query counts what the canary was sent in the run', async (t) => {
  const { windows, clock, second } = traffic();
  for (let i = 0; i < 30; i++) second(5, 2, 0);
  const origin = await startOrigin(t, async (call) => {
    await call.body();
    const body = { status: 'success', data: { resultType: 'scalar', result: [1, '5'] } };
    await call.write(answer(200, JSON.stringify(body)));
  });
  const { source } = startSource(t, { windows, clock });
  const context: MeasureContext = { ...CONTEXT, runningMs: 20_000 };
  const measure = (provider: Provider, of = context) =>
    source.measure(
      metric(provider, { minSamples: { count: 100, query: null } }),
      of,
      new AbortController().signal,
    );
  t.same(await measure(prometheus(origin.url)), value(5, 40));
  t.match(await measure(web(origin.url)), { kind: 'value', samples: 40 });
  t.match(await measure(coalmine({ windowMs: 3_000 })), { kind: 'value', samples: 40 }, 'not of the window');
  t.match(await measure(web(origin.url), { ...context, canary: 'unheard-of' }), {
    kind: 'value',
    samples: 0,
  });
});

t.test('a hook is asked with the rollout it is for', async (t) => {
  const asked: unknown[] = [];
  const { source } = startSource(t, {
    callHook: async (hook, context, signal) => {
      asked.push([hook, context, signal]);
      return { ok: hook === 'load-test', detail: 'as told' };
    },
  });
  const { signal } = new AbortController();
  const measure = (hook: string) => source.measure(metric({ kind: 'webhook', hook }), CONTEXT, signal);
  t.same(await measure('load-test'), value(true));
  t.same(await measure('other'), value(false));
  t.same(asked, [
    ['load-test', CONTEXT, signal],
    ['other', CONTEXT, signal],
  ]);
});

t.test('what is thrown in spite of every promise is an error', async (t) => {
  const { ask } = startSource(t, { callHook: () => Promise.reject(new Error('broken promise')) });
  t.same(await ask({ kind: 'webhook', hook: 'x' }), {
    kind: 'error',
    reason: 'the measurement failed: Error: broken promise',
  });
});
