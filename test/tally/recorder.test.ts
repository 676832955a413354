import t from 'tap';
import type { Service } from '../../src/core/model.ts';
import { methodIndex, SCALAR, type Tally } from '../../src/core/tally.ts';
import { ALL_STAGES } from '../../src/tally/merge.ts';
import {
  beginMirror,
  beginRequest,
  countScalar,
  dropMirror,
  endMirror,
  endRequest,
  Recorder,
} from '../../src/tally/recorder.ts';
import { split } from '../support/split.ts';
import { EDGES, outcome, reason, request, requestsOf, serviceOf } from './support.ts';

const total = (counts: Float64Array) => counts.reduce((sum, count) => sum + count, 0);
const GET = methodIndex('GET');

/** Opens a service as a swap to a Split of it alone would. */
function swapTo(recorder: Recorder, ...services: Service[]): Tally[][] {
  const opened = services.map((service) => recorder.open(service));
  recorder.retain(split(services));
  return opened;
}

function lifetimeOf(recorder: Recorder, service: string, version: string): Tally {
  const found = recorder.lifetime().filter((tally) => tally.service === service && tally.version === version);
  if (found.length !== 1) throw new Error(`${found.length} tallies of ${service}/${version}`);
  return found[0] as Tally;
}

t.test('a request is counted where it was assigned, from begin to end', async (t) => {
  const [v1, v2] = new Recorder().open(serviceOf('iris-api', ['v1', 'v2'])) as [Tally, Tally];
  beginRequest(v2, reason('rule'));
  t.equal(v2.scalars[SCALAR.inFlight], 1);
  t.equal(total(v2.requests), 0, 'not answered yet');
  t.equal(v2.assigned[reason('rule')], 1);
  endRequest(v2, GET, 503, 10, 2.5);
  t.equal(v2.scalars[SCALAR.inFlight], 0);
  t.strictSame(requestsOf(v2), { 'GET 503': 1 });
  t.strictSame([...v2.duration], [0, 1, 0, 0, 0], 'a bound holds the values equal to it');
  t.strictSame([...v2.ttfb], [0, 1, 0, 0, 0]);
  t.equal(v2.scalars[SCALAR.durationSumMs], 10);
  t.equal(v2.scalars[SCALAR.ttfbSumMs], 2.5);
  t.equal(total(v1.assigned) + total(v1.requests), 0, 'the other version knows nothing of it');
});

t.test('a request whose answer never began has a duration and no time to the first byte', async (t) => {
  const [tally] = new Recorder().open(serviceOf('iris-api', ['v1'])) as [Tally];
  request(tally, { status: 499, durationMs: 5_000, ttfbMs: -1 });
  t.strictSame([...tally.duration], [0, 0, 0, 0, 1], 'above the last bound');
  t.equal(total(tally.ttfb), 0);
  t.equal(tally.scalars[SCALAR.ttfbSumMs], 0);
  request(tally, { durationMs: 0, ttfbMs: 0 });
  t.equal(tally.ttfb[0], 1, '0 ms is a time');
});

t.test('an impossible duration does not spoil the sum', async (t) => {
  const [tally] = new Recorder().open(serviceOf('iris-api', ['v1'])) as [Tally];
  for (const durationMs of [Number.NaN, -1, 4]) request(tally, { durationMs, ttfbMs: durationMs });
  t.equal(tally.scalars[SCALAR.durationSumMs], 4);
  t.equal(tally.scalars[SCALAR.ttfbSumMs], 4);
  t.equal(total(tally.duration), 3);
  beginMirror(tally);
  endMirror(tally, outcome('ok'), Number.NaN);
  t.equal(tally.scalars[SCALAR.mirrorSumMs], 0);
});

t.test('a mirrored request counts apart from requests, sent or dropped', async (t) => {
  const [tally] = new Recorder().open(serviceOf('iris-api', ['v1'])) as [Tally];
  beginMirror(tally);
  beginMirror(tally);
  t.equal(tally.scalars[SCALAR.mirrorInFlight], 2);
  endMirror(tally, outcome('ok'), 20);
  endMirror(tally, outcome('timeout'), 2_000);
  dropMirror(tally, outcome('dropped_full'));
  t.equal(tally.scalars[SCALAR.mirrorInFlight], 0);
  t.strictSame([...tally.mirrorDuration], [0, 0, 1, 0, 1]);
  t.equal(tally.scalars[SCALAR.mirrorSumMs], 2_020);
  t.equal(tally.mirrored[outcome('ok')], 1);
  t.equal(tally.mirrored[outcome('timeout')], 1);
  t.equal(tally.mirrored[outcome('dropped_full')], 1);
  t.equal(total(tally.requests) + total(tally.duration) + total(tally.assigned), 0);
});

t.test('scalars are counted one by one', async (t) => {
  const [tally] = new Recorder().open(serviceOf('iris-api', ['v1'])) as [Tally];
  for (const scalar of [SCALAR.retries, SCALAR.failovers, SCALAR.timeouts, SCALAR.clientGone]) {
    countScalar(tally, scalar);
    t.equal(tally.scalars[scalar], 1);
  }
});

t.test('the hot path allocates nothing', async (t) => {
  const [tally] = new Recorder().open(serviceOf('iris-api', ['v1'])) as [Tally];
  const CALLS = 20_000;
  const run = () => {
    for (let i = 0; i < CALLS; i++) {
      beginRequest(tally, 1);
      endRequest(tally, 1, 200, 12.25, 3.5);
      beginMirror(tally);
      endMirror(tally, 0, 7.75);
      countScalar(tally, SCALAR.retries);
    }
  };
  for (let i = 0; i < 20; i++) run();
  // A collection in between can hide or add to the growth, so the smallest of several runs counts
  // among those in which the heap did not shrink.
  const growths: number[] = [];
  for (let i = 0; i < 15; i++) {
    const before = process.memoryUsage().heapUsed;
    run();
    growths.push(process.memoryUsage().heapUsed - before);
  }
  const least = Math.min(...growths.filter((bytes) => bytes >= 0));
  t.ok(least / CALLS < 1, `${least} bytes for ${CALLS} requests: less than one byte a request`);
});

t.test('the same service, stage and version give the same tally', async (t) => {
  const recorder = new Recorder();
  const service = serviceOf('iris-api', ['v1', 'v2']);
  const [first] = swapTo(recorder, service) as [Tally[]];
  const [again] = swapTo(recorder, structuredClone(service)) as [Tally[]];
  t.equal(first.length, 2);
  t.equal(again[0], first[0]);
  t.equal(again[1], first[1]);
  t.not(first[0], first[1]);
  const [next] = swapTo(recorder, { ...service, stage: 1 }) as [Tally[]];
  t.not(next[0], first[0]);
  t.match(next[0], { service: 'iris-api', stage: 1, version: 'v1' });
  t.strictSame(
    recorder.tallies().map(({ version, stage }) => `${version} ${stage}`),
    ['v1 0', 'v1 1', 'v2 0', 'v2 1'],
  );
});

t.test('tallies come in the order of the versions, also when that changes', async (t) => {
  const recorder = new Recorder();
  const [before] = swapTo(recorder, serviceOf('iris-api', ['v1', 'v2'])) as [Tally[]];
  const [after] = swapTo(recorder, serviceOf('iris-api', ['v3', 'v2', 'v1'])) as [Tally[]];
  t.strictSame(
    after.map(({ version }) => version),
    ['v3', 'v2', 'v1'],
  );
  t.equal(after[1], before[1]);
  t.equal(after[2], before[0]);
});

t.test('names that every object has are names like others', async (t) => {
  const recorder = new Recorder();
  const names = ['__proto__', 'constructor', 'toString'];
  const services = names.map((name) => serviceOf(name, names));
  for (const tallies of swapTo(recorder, ...services)) for (const tally of tallies) request(tally);
  t.equal(recorder.lifetime().length, 9);
  for (const tally of recorder.lifetime()) t.equal(total(tally.requests), 1);
});

t.test('lifetime adds up every stage ever counted in', async (t) => {
  const recorder = new Recorder();
  for (let stage = 0; stage < 30; stage++) {
    const [[v1, v2]] = swapTo(recorder, serviceOf('iris-api', ['v1', 'v2'], { stage })) as [[Tally, Tally]];
    request(v1, { durationMs: 5 });
    if (stage % 2 === 0) request(v2, { status: 500, durationMs: 50 });
  }
  const v1 = lifetimeOf(recorder, 'iris-api', 'v1');
  t.equal(v1.stage, ALL_STAGES);
  t.strictSame(requestsOf(v1), { 'GET 200': 30 });
  t.strictSame([...v1.duration], [0, 30, 0, 0, 0]);
  t.equal(v1.scalars[SCALAR.durationSumMs], 150);
  t.strictSame(requestsOf(lifetimeOf(recorder, 'iris-api', 'v2')), { 'GET 500': 15 });
  const stages = recorder.tallies().filter(({ version }) => version === 'v1');
  t.strictSame(
    stages.map(({ stage }) => stage),
    [22, 23, 24, 25, 26, 27, 28, 29],
    'the last eight stay apart',
  );
  t.strictSame(lifetimeOf(recorder, 'iris-api', 'v1'), v1, 'reading changes nothing');
});

t.test('a stage stays apart while anything of it is in flight, and loses nothing', async (t) => {
  for (const busy of ['request', 'mirror'] as const) {
    const recorder = new Recorder();
    const at = (stage: number) => swapTo(recorder, serviceOf('iris-api', ['v1'], { stage }))[0]?.[0] as Tally;
    const old = at(0);
    if (busy === 'request') beginRequest(old, 0);
    else beginMirror(old);
    for (let stage = 1; stage <= 20; stage++) at(stage);
    t.ok(recorder.tallies().includes(old), `${busy}: still there`);
    t.equal(recorder.tallies().length, 9);
    if (busy === 'request') endRequest(old, GET, 200, 1, 1);
    else endMirror(old, outcome('ok'), 1);
    at(21);
    t.notOk(recorder.tallies().includes(old), `${busy}: folded`);
    const all = lifetimeOf(recorder, 'iris-api', 'v1');
    t.equal(busy === 'request' ? total(all.requests) : total(all.mirrored), 1);
    t.equal(all.scalars[SCALAR.inFlight], 0);
    t.equal(all.scalars[SCALAR.mirrorInFlight], 0);
  }
});

t.test('other edges restart the histograms; counters go on', async (t) => {
  const recorder = new Recorder();
  const a = serviceOf('iris-api', ['v1']);
  const b = serviceOf('iris-api', ['v1'], { latencyEdgesMs: [...EDGES, 2_000] });
  const [[old]] = swapTo(recorder, a) as [[Tally]];
  request(old, { durationMs: 50, reason: 'cookie' });
  countScalar(old, SCALAR.retries);
  beginRequest(old, reason('hash'));

  const [[fresh]] = swapTo(recorder, b) as [[Tally]];
  t.not(fresh, old, 'the same stage, but other bounds');
  const restarted = lifetimeOf(recorder, 'iris-api', 'v1');
  t.strictSame([...restarted.edgesMs], [...EDGES, 2_000]);
  t.equal(total(restarted.duration) + total(restarted.ttfb), 0);
  t.equal(restarted.scalars[SCALAR.durationSumMs], 0);
  t.strictSame(requestsOf(restarted), { 'GET 200': 1 });
  t.equal(total(restarted.assigned), 2);
  t.equal(restarted.scalars[SCALAR.retries], 1);
  t.equal(restarted.scalars[SCALAR.inFlight], 1, 'what is in flight still is');

  endRequest(old, GET, 503, 1_500, -1);
  request(fresh, { durationMs: 1_500 });
  const later = lifetimeOf(recorder, 'iris-api', 'v1');
  t.strictSame(requestsOf(later), { 'GET 200': 2, 'GET 503': 1 }, 'the late end is counted');
  t.equal(later.scalars[SCALAR.inFlight], 0);
  t.strictSame([...later.duration], [0, 0, 0, 0, 1, 0], 'the histogram has only what its bounds saw');
  t.equal(later.scalars[SCALAR.durationSumMs], 1_500);
});

t.test('edges that come back do not bring back old counts', async (t) => {
  const recorder = new Recorder();
  const a = serviceOf('iris-api', ['v1']);
  const b = serviceOf('iris-api', ['v1'], { latencyEdgesMs: [7] });
  const [[first]] = swapTo(recorder, a) as [[Tally]];
  for (let i = 0; i < 1_000; i++) request(first);
  swapTo(recorder, b);
  const [[second]] = swapTo(recorder, a) as [[Tally]];
  t.not(second, first);
  request(second);
  const all = lifetimeOf(recorder, 'iris-api', 'v1');
  t.equal(total(all.duration), 1, 'a jump back to 1,000 would look like traffic');
  t.equal(total(all.requests), 1_001);
});

t.test('what leaves the config is forgotten at once, and begins at zero should it come back', async (t) => {
  const recorder = new Recorder();
  const other = serviceOf('other', ['v1']);
  const [[v1, v2]] = swapTo(recorder, serviceOf('iris-api', ['v1', 'v2']), other) as [[Tally, Tally]];
  request(v1);
  request(v2);
  beginRequest(v2, 0);

  swapTo(recorder, serviceOf('iris-api', ['v1']), other);
  t.strictSame(
    recorder.lifetime().map(({ service, version }) => `${service} ${version}`),
    ['iris-api v1', 'other v1'],
  );
  t.equal(total(lifetimeOf(recorder, 'iris-api', 'v1').requests), 1, 'what stays goes on');
  t.doesNotThrow(() => endRequest(v2, GET, 200, 1, 1), 'a request in flight ends undisturbed');

  swapTo(recorder, other);
  t.strictSame(
    recorder.lifetime().map(({ service }) => service),
    ['other'],
  );
  swapTo(recorder, serviceOf('iris-api', ['v1', 'v2']), other);
  t.equal(total(lifetimeOf(recorder, 'iris-api', 'v1').requests), 0);
  t.equal(lifetimeOf(recorder, 'iris-api', 'v2').scalars[SCALAR.inFlight], 0);
});

t.test('1,000 services that come and go leave nothing behind', async (t) => {
  const recorder = new Recorder();
  const stays = serviceOf('stays', ['v1']);
  for (let i = 0; i < 1_000; i++) {
    const [, [tally]] = swapTo(recorder, stays, serviceOf(`service-${i}`, [`v${i}`])) as [Tally[], [Tally]];
    request(tally);
    if (i % 3 === 0) beginRequest(tally, 0);
    if (recorder.lifetime().length !== 2 || recorder.tallies().length !== 2) t.fail(`after ${i}`);
  }
  for (let i = 0; i < 1_000; i++) {
    swapTo(recorder, { ...stays, stage: i, latencyEdgesMs: i % 2 === 0 ? EDGES : [5] });
    if (recorder.tallies().length > 9) t.fail(`after stage ${i}`);
  }
  t.equal(recorder.lifetime().length, 1);
});

t.test('opened for a Split that is then refused, nothing of the running one changes', async (t) => {
  const recorder = new Recorder();
  const service = serviceOf('iris-api', ['v1']);
  const [[running]] = swapTo(recorder, service) as [[Tally]];
  request(running);
  const refused = serviceOf('iris-api', ['v1', 'never'], { stage: 7, latencyEdgesMs: [3] });
  t.equal(recorder.open(refused)[0], recorder.open(refused)[0], 'opened twice, the same tally');
  request(running);
  request(recorder.open(refused)[0] as Tally);
  t.equal(total(lifetimeOf(recorder, 'iris-api', 'v1').requests), 3, 'what is counted is counted');
  const during = lifetimeOf(recorder, 'iris-api', 'v1');
  t.equal(total(during.duration), 2, 'its histograms go on');
  t.strictSame([...during.edgesMs], EDGES);
  t.equal(recorder.open(service)[0], running);

  recorder.retain(split([service]));
  request(running);
  t.equal(total(lifetimeOf(recorder, 'iris-api', 'v1').duration), 3);
  t.strictSame(
    [...recorder.lifetime(), ...recorder.tallies()].map(({ version, stage }) => `${version} ${stage}`),
    ['v1 -1', 'v1 0'],
    'what was opened in vain is forgotten at the next swap',
  );
});

t.test('edges that were opened in vain do not mix with those taken over', async (t) => {
  const recorder = new Recorder();
  swapTo(recorder, serviceOf('iris-api', ['v1']));
  recorder.open(serviceOf('iris-api', ['v1'], { latencyEdgesMs: [3] }));
  const [[taken]] = swapTo(recorder, serviceOf('iris-api', ['v1'], { latencyEdgesMs: [4] })) as [[Tally]];
  request(taken, { durationMs: 3.5 });
  t.strictSame([...lifetimeOf(recorder, 'iris-api', 'v1').edgesMs], [4]);
  t.strictSame([...lifetimeOf(recorder, 'iris-api', 'v1').duration], [1, 0]);
  t.equal(recorder.tallies().length, 1);
  t.equal(recorder.tallies()[0], taken);
});
