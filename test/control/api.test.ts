import t from 'tap';
import { compilePattern } from '../../src/config/pattern.ts';
import {
  type ControlApi,
  createControlApi,
  type EndpointHealth,
  type Phase,
  type RolloutView,
  type WeightCommand,
} from '../../src/control/api.ts';
import { createHolder } from '../../src/control/holder.ts';
import type { Condition } from '../../src/core/model.ts';
import { rule } from '../support/rule.ts';
import { mirror, service, split, upstream } from '../support/split.ts';
import {
  config,
  type FakeRollouts,
  fakeKpis,
  fakeLive,
  fakeRollouts,
  iris,
  memoryLog,
  rolloutView,
} from './support.ts';

const SECRET = 'THIS-IS-SECRET';

function setup(
  services = [iris(500)],
  health: readonly EndpointHealth[] = [],
  rollouts: FakeRollouts = fakeRollouts(),
) {
  const holder = createHolder(split(services), config({ services }));
  const state = { phase: 'ready' as Phase };
  const api: ControlApi = createControlApi({
    holder,
    phase: () => state.phase,
    reloadState: () => ({ ok: 0, failed: 0, failure: null, restartNeeded: [] }),
    endpoints: () => health,
    disagreements: () => [],
    compilePattern,
    rollouts,
    kpis: fakeKpis(),
    live: fakeLive(),
    log: memoryLog(),
  });
  return { holder, api, state };
}

const sick: EndpointHealth = {
  service: 'iris-api',
  version: 'v2',
  endpoint: 'http://127.0.0.1:1',
  healthy: false,
  ejectedUntilMs: null,
  pending: 3,
};

t.test('services in short', async (t) => {
  const { api } = setup([iris(525, { mirror: mirror(2) })], [sick]);
  t.strictSame(api.services(), [
    {
      name: 'iris-api',
      match: { host: null, path: '/' },
      stage: 0,
      versions: [
        { name: 'v1', role: 'stable', weight: 94.75, endpoints: { healthy: 1, total: 1 } },
        { name: 'v2', role: 'canary', weight: 5.25, endpoints: { healthy: 0, total: 1 } },
        { name: 'v3', role: 'shadow', weight: 0, endpoints: { healthy: 1, total: 1 } },
      ],
      mirror: 'v3',
      rules: 0,
      weightSetByHand: false,
    },
  ]);
});

t.test('one service in full, with the health of its endpoints', async (t) => {
  const { api } = setup([iris(500)], [sick, { ...sick, version: 'v1', healthy: true, ejectedUntilMs: 5 }]);
  const detail = api.service('iris-api');
  t.match(detail, { name: 'iris-api', revision: 1, salt: 'iris-api', sticky: { by: ['header:x-user-id'] } });
  t.strictSame(detail?.versions[1]?.endpoints, [
    { url: 'http://127.0.0.1:1', healthy: false, ejected: false, pending: 3 },
  ]);
  t.match(detail?.versions[0]?.endpoints[0], { healthy: true, ejected: true });
  t.equal(api.service('nobody'), null);
  t.equal(api.service('constructor'), null);
});

t.test('secrets never leave', async (t) => {
  const tls = { ca: SECRET, cert: SECRET, key: SECRET, serverName: 'iris', verify: true };
  const when: Condition = {
    kind: 'any',
    of: [
      { kind: 'header', name: 'authorization', match: { kind: 'oneOf', values: [SECRET] } },
      { kind: 'header', name: 'x-plain', match: { kind: 'prefix', value: 'shown' } },
    ],
  };
  const holding = service([{ name: 'v1', upstream: { ...upstream('https://127.0.0.1:1'), tls } }], {
    name: 'vault',
    rules: [rule(0, when, { kind: 'use', version: 0 })],
    sticky: {
      by: [{ kind: 'ip' }],
      mode: 'hash',
      sessionTtlMs: 1,
      sessionMax: 1,
      issueCookie: { name: 'id', maxAgeS: 5, secret: SECRET, domain: null },
    },
  });
  const { api } = setup([holding]);
  const detail = api.service('vault');
  const all = JSON.stringify([detail, api.services(), api.readiness(), api.explain('vault', nothing)]);
  t.notMatch(all, SECRET);
  t.match(all, 'shown', 'what is no secret is there');
  t.strictSame(detail?.versions[0]?.tls, {
    ownCa: true,
    clientCertificate: true,
    serverName: 'iris',
    verify: true,
  });
  t.strictSame(detail?.sticky.issueCookie, { name: 'id', maxAgeS: 5, domain: null });
});

const none = new Map<string, string>();
const nothing = {
  key: null,
  headers: none,
  cookies: none,
  query: none,
  method: 'GET',
  path: null,
  ip: null,
  region: null,
};

const wanted: WeightCommand = { version: null, weightBp: 100, ifRevision: null, actor: 'cli:ann' };

t.test('a weight is set at once, in a new stage', async (t) => {
  const { api, holder } = setup();
  const outcome = await api.setWeight('iris-api', { ...wanted, weightBp: 2050 });
  t.strictSame(outcome, {
    ok: true,
    done: {
      service: 'iris-api',
      version: 'v2',
      weight: 20.5,
      previousWeight: 5,
      stage: 1,
      revision: 2,
      until: 'config',
    },
  });
  t.equal(holder.split().services[0]?.shares[0]?.weightBp, 2050);
  t.equal(holder.split().services[0]?.stage, 1);
  t.ok(api.services()[0]?.weightSetByHand);
  t.equal(holder.config().split.services[0]?.shares[0]?.weightBp, 500, 'the config is as it was');
});

t.test('the weight that it has already changes nothing', async (t) => {
  const { api, holder } = setup();
  const outcome = await api.setWeight('iris-api', { ...wanted, version: 'v2', weightBp: 500, ifRevision: 1 });
  t.match(outcome, { ok: true, done: { stage: 0, revision: 1 } });
  t.equal(holder.split().revision, 1);
});

t.test('a weight that cannot be set changes nothing', async (t) => {
  const { api, holder } = setup();
  const code = async (name: string, ifRevision: number | null, version: string | null = null) => {
    const outcome = await api.setWeight(name, { ...wanted, version, ifRevision });
    return outcome.ok ? 'ok' : outcome.refusal.code;
  };
  t.equal(await code('nobody', null), 'unknown_service');
  t.equal(await code('iris-api', 7), 'revision_changed');
  t.equal(await code('iris-api', null, 'v1'), 'unknown_version');
  t.equal(holder.split().revision, 1);
  t.equal(await code('iris-api', 1), 'ok');
});

t.test('readiness is the phase; unhealthy endpoints are told beside it', async (t) => {
  const { api, state } = setup([iris(500)], [sick]);
  t.match(api.readiness(), {
    status: 'ready',
    revision: 1,
    services: [{ name: 'iris-api', versions: [{ healthy: 1 }, { name: 'v2', healthy: 0, total: 1 }, {}] }],
  });
  state.phase = 'draining';
  t.equal(api.readiness().status, 'draining');
});

t.test('the weight of a rollout whose steps run is a command to it', async (t) => {
  const rollouts = fakeRollouts(rolloutView({ weight: 5 }));
  const { api, holder } = setup([iris(300)], [], rollouts);
  const outcome = await api.setWeight('iris-api', { ...wanted, weightBp: 2050, ifRevision: 1 });
  t.strictSame(outcome, {
    ok: true,
    done: {
      service: 'iris-api',
      version: 'v2',
      weight: 20.5,
      previousWeight: 5,
      stage: 0,
      revision: 1,
      until: 'step',
    },
  });
  t.strictSame(rollouts.asked, [
    { name: 'iris-api', command: { kind: 'setWeight', weightBp: 2050 }, actor: 'cli:ann' },
  ]);
  t.equal(holder.split().revision, 1, 'the rollout swaps, and this one is a fake');
});

t.test('what the rollout says to a weight is passed on', async (t) => {
  const rollouts = fakeRollouts(rolloutView());
  const { api } = setup([iris(500)], [], rollouts);
  for (const code of ['refused', 'blocked', 'store_failed'] as const) {
    rollouts.answer = { ok: false, code, message: 'because' };
    const outcome = await api.setWeight('iris-api', wanted);
    t.strictSame(outcome, { ok: false, refusal: { code, message: 'because' } });
  }
  t.equal(rollouts.asked.length, 3);
  t.match(await api.setWeight('iris-api', { ...wanted, version: 'v1' }), {
    refusal: { code: 'unknown_version', message: 'v1 is not a canary of iris-api; its canary: v2' },
  });
  t.match(await api.setWeight('iris-api', { ...wanted, ifRevision: 7 }), {
    refusal: { code: 'revision_changed' },
  });
  t.equal(rollouts.asked.length, 3, 'it was not asked');
});

t.test('while no step runs the rollout rules, and it is said what to do', async (t) => {
  const table: readonly (readonly [RolloutView['status'], RegExp])[] = [
    ['idle', /begin it with "coalmine start iris-api"/],
    ['undone', /begin it with "coalmine start iris-api"/],
    ['starting', /still asking whether it may start/],
    ['completed', /everyone gets v2; "coalmine undo iris-api" takes that back/],
    ['aborted', /"coalmine retry iris-api" begins it again/],
    ['blocked', /it cannot: its state is damaged/],
  ];
  for (const [status, message] of table) {
    const rollouts = fakeRollouts(rolloutView({ status, message: 'its state is damaged' }));
    const { api, holder } = setup([iris(500)], [], rollouts);
    const outcome = await api.setWeight('iris-api', wanted);
    t.match(outcome, { ok: false, refusal: { code: 'rollout_rules', message } }, status);
    t.strictSame(rollouts.asked, []);
    t.equal(holder.split().revision, 1);
  }
});

t.test('a rollout’s weight is nobody’s hand', async (t) => {
  const { api, holder } = setup([iris(500)], [], fakeRollouts(rolloutView()));
  const [service] = holder.split().services;
  holder.swap({
    ...holder.split(),
    revision: 2,
    services: [{ ...service!, shares: [{ version: 1, weightBp: 900 }] }],
  });
  t.equal(api.services()[0]?.versions[1]?.weight, 9);
  t.notOk(api.services()[0]?.weightSetByHand);
  t.notOk(api.service('iris-api')?.weightSetByHand);
});

t.test('what is asked about rollouts is passed on', async (t) => {
  const rollouts = fakeRollouts(rolloutView());
  const { api } = setup([iris(500)], [], rollouts);
  t.strictSame(api.rollouts(), [rolloutView()]);
  t.strictSame(api.rollout('iris-api'), rolloutView());
  t.equal(api.rollout('nobody'), null);
  t.strictSame(api.history('iris-api'), []);
  t.equal(api.history('nobody'), null);
  t.match(await api.rolloutCommand('iris-api', { kind: 'pause' }, 'ann'), { ok: true });
  t.strictSame(rollouts.asked, [{ name: 'iris-api', command: { kind: 'pause' }, actor: 'ann' }]);
});
