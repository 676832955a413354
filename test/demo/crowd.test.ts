import { once } from 'node:events';
import t, { type Test } from 'tap';
import { startCrowd } from '../../src/demo/crowd.ts';
import { CrowdStats } from '../../src/demo/crowd-stats.ts';
import { startModelService } from '../../src/demo/model-service.ts';
import { type VisitPlan, visits } from '../../src/demo/visits.ts';
import { type StubApp, type StubOptions, startStubApp } from './support/stub-app.ts';

const PLAN: VisitPlan = { ratePerS: 300, users: 40, anonymousShare: 0.25, seed: 5 };

/** A stub gateway in front of one real model that plays both versions. */
async function stub(t: Test, instead?: StubOptions['instead']): Promise<StubApp> {
  const model = await startModelService({
    version: 'v1',
    profile: 'v1',
    host: '127.0.0.1',
    port: 0,
    fault: { mode: 'good' },
    random: Math.random,
  });
  const app = await startStubApp({ v1Url: model.url, v2Url: model.url, ...(instead ? { instead } : {}) });
  t.teardown(async () => {
    await app.close();
    await model.close();
  });
  return app;
}

function crowd(app: StubApp, stats: CrowdStats, changes: { maxInFlight?: number; timeoutMs?: number } = {}) {
  return startCrowd({
    plan: PLAN,
    url: `${app.gatewayUrl}/predict`,
    stats,
    maxInFlight: 50,
    timeoutMs: 5000,
    nowMs: () => performance.now(),
    ...changes,
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

t.test('what arrives is what was planned, and what is counted is what arrived', async (t) => {
  const app = await stub(t);
  const stats = new CrowdStats();
  // So many that none is held back, also on a busy machine.
  const running = crowd(app, stats, { maxInFlight: 1000 });
  await until(() => app.seen.length >= 150);
  await running.stop();
  const reports = stats.report(performance.now());
  for (const version of ['v1', 'v2']) {
    const report = reports.find((r) => r.version === version)!;
    t.equal(report.requests, app.seen.filter((request) => request.version === version).length, version);
    t.equal(report.byClass[2], report.requests);
  }
  t.ok(reports.every((r) => r.recent.accuracy! > 0.8 && r.recent.meanConfidence! > 0.8));
  // Several connections may overtake each other, so only the set is compared.
  const plan = visits(PLAN);
  const planned = Array.from(app.seen, () => plan.next().value).map((visit) => JSON.stringify(visit.flower));
  t.same(app.seen.map(({ body }) => JSON.stringify(JSON.parse(body).features)).sort(), planned.sort());
});

t.test('users with an id send it and no cookie; the others keep the cookie they are given', async (t) => {
  const app = await stub(t);
  // One after the other: who comes twice before the first answer is given two cookies.
  const running = crowd(app, new CrowdStats(), { maxInFlight: 1 });
  await until(() => app.seen.length >= 200);
  await running.stop();
  const named = app.seen.filter((request) => request.userId !== null);
  t.ok(named.length > 0 && named.every((request) => request.cookie === null));
  const strangers = app.seen.filter((request) => request.userId === null);
  const returning = strangers.filter((request) => request.cookie !== null);
  t.ok(returning.length > 0 && returning.every((request) => /^id=\d+$/.test(request.cookie!)));
  t.ok(new Set(returning.map((request) => request.cookie)).size <= 10, 'ten anonymous users, ten cookies');
});

t.test('no answer, a cut answer and a late one are all lost, and the crowd goes on', async (t) => {
  let turn = 0;
  const app = await stub(t, (_, response) => {
    turn += 1;
    if (turn % 4 === 0) response.destroy();
    else if (turn % 4 === 1) {
      response.writeHead(200, { 'content-length': 100, 'x-coalmine-version': 'v1' }).write('{');
      setTimeout(() => response.destroy(), 5);
    } else if (turn % 4 === 2) {
      // Never answered: the user gives up.
    } else response.writeHead(503, { 'x-coalmine-version': 'v2' }).end('{}');
    return true;
  });
  const stats = new CrowdStats();
  const running = crowd(app, stats, { timeoutMs: 100 });
  await until(() => turn >= 40);
  await running.stop();
  const reports = stats.report(performance.now());
  const lost = (version: string | null) => reports.find((r) => r.version === version)?.lost ?? 0;
  t.equal(
    reports.reduce((sum, r) => sum + r.requests, 0),
    turn,
  );
  t.equal(lost('v1'), Math.ceil(turn / 4), 'cut answers count for the version that began them');
  t.equal(lost('v1') + lost(null), turn - Math.floor((turn + 1) / 4));
  t.equal(reports.find((r) => r.version === 'v2')!.byClass[5], Math.floor((turn + 1) / 4));
});

t.test('never more on their way than allowed; the rest is counted as held back', async (t) => {
  let now = 0;
  let most = 0;
  const app = await stub(t, (_, response) => {
    now += 1;
    most = Math.max(most, now);
    once(response, 'close').then(() => {
      now -= 1;
    });
    setTimeout(() => response.writeHead(200).end('{}'), 50);
    return true;
  });
  const stats = new CrowdStats();
  const running = crowd(app, stats, { maxInFlight: 3 });
  await until(() => stats.heldBack >= 20);
  await running.stop();
  t.equal(most, 3);
});

t.test('a gateway that is not there is reported, not thrown', async (t) => {
  const app = await stub(t);
  await app.close();
  const stats = new CrowdStats();
  const running = crowd(app, stats);
  await until(() => (stats.report(0)[0]?.lost ?? 0) >= 10);
  await running.stop();
  t.match(stats.report(0), [{ version: null, byClass: [0, 0, 0, 0, 0, 0] }]);
});
