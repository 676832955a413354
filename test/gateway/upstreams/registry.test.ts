import t, { type Test } from 'tap';
import type { Split } from '../../../src/core/model.ts';
import type { Endpoint } from '../../../src/gateway/upstreams/endpoint.ts';
import type { EndpointGroup } from '../../../src/gateway/upstreams/group.ts';
import { groupOf, shadowGroupOf, UpstreamRegistry } from '../../../src/gateway/upstreams/registry.ts';
import { mirror, service, split, type UpstreamOptions, version } from '../../support/split.ts';
import { until } from '../../support/wait.ts';

const URL_1 = 'http://127.0.0.1:1';
const URL_2 = 'http://127.0.0.1:2';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

function registryOf(t: Test): UpstreamRegistry {
  const registry = new UpstreamRegistry(silent);
  t.teardown(() => registry.close());
  return registry;
}

interface Parts {
  readonly v2?: string;
  readonly options?: UpstreamOptions;
  readonly mirrored?: number;
}

function splitWith({ v2 = URL_2, options = {}, mirrored }: Parts = {}): Split {
  const versions = [version('v1', URL_1), version('v2', v2, options)];
  return split([
    service(versions, mirrored === undefined ? {} : { mirror: mirror(1, { maxInFlight: mirrored }) }),
  ]);
}

/** Groups by version, of a Split that is in force from now on. */
function inForce(registry: UpstreamRegistry, split: Split): EndpointGroup[] {
  const view = registry.enter(split);
  registry.commit(view);
  const [only] = split.services;
  return only!.versions.map((_, index) => groupOf(view, only!, index));
}

function closed(group: EndpointGroup): boolean {
  return group.endpoints.every(({ pool }) => (pool as unknown as { destroyed: boolean }).destroyed);
}

t.test('a version whose upstream is unchanged keeps its group over any number of swaps', async (t) => {
  const registry = registryOf(t);
  const first = inForce(registry, splitWith());
  const endpoint = first[0]?.endpoints[0] as Endpoint;
  endpoint.healthy = false;
  for (let i = 0; i < 50; i++) {
    // The other version changes with every Split.
    const groups = inForce(registry, splitWith({ v2: `http://127.0.0.1:${100 + i}` }));
    t.equal(groups[0], first[0]);
    t.not(groups[1], first[1]);
  }
  t.equal(endpoint.healthy, false, 'and what is known of its endpoints');
});

t.test('any change of an upstream makes a new group', async (t) => {
  const registry = registryOf(t);
  let [, before] = inForce(registry, splitWith());
  const changes: readonly UpstreamOptions[] = [
    { timeouts: { idleMs: 1 } },
    { pool: { connections: 1 } },
    { retry: { retries: 0 } },
    { ejection: { consecutiveFailures: 1, baseMs: 1, maxMs: 1 } },
    { tls: { ca: null, cert: null, key: null, serverName: 'x', verify: true } },
  ];
  for (const options of changes) {
    const [, after] = inForce(registry, splitWith({ options }));
    t.not(after, before, JSON.stringify(options));
    before = after;
  }
});

t.test('what left is closed once its last request is over, not before', async (t) => {
  const registry = registryOf(t);
  const [, old] = inForce(registry, splitWith());
  const endpoint = old?.endpoints[0] as Endpoint;
  endpoint.pending = 1;
  const [, next] = inForce(registry, splitWith({ v2: 'http://127.0.0.1:3' }));
  // A group that left later and is idle shows that the old one had its turn too.
  inForce(registry, splitWith({ v2: 'http://127.0.0.1:4' }));
  await until(() => closed(next!), 'the idle group to be closed');
  t.equal(closed(old!), false);
  endpoint.pending = 0;
  await until(() => closed(old!), 'the old group to be closed');
});

t.test('what left stays while a request of its time may yet turn to it', async (t) => {
  const registry = registryOf(t);
  const first = splitWith();
  const view = registry.enter(first);
  registry.commit(view);
  const old = groupOf(view, first.services[0]!, 1);
  view.inFlight = 1;
  const [, next] = inForce(registry, splitWith({ v2: 'http://127.0.0.1:3' }));
  inForce(registry, splitWith({ v2: 'http://127.0.0.1:4' }));
  await until(() => closed(next!), 'the group that nobody uses to be closed');
  t.equal(closed(old), false);
  view.inFlight = 0;
  await until(() => closed(old), 'the old group to be closed');
});

t.test('a version that comes back is a new group while the old one retires', async (t) => {
  const registry = registryOf(t);
  const [, old] = inForce(registry, splitWith());
  (old?.endpoints[0] as Endpoint).pending = 1;
  inForce(registry, splitWith({ v2: 'http://127.0.0.1:3' }));
  const [, again] = inForce(registry, splitWith());
  t.not(again, old);
  t.equal(closed(again!), false);
});

t.test('a Split that is given up leaves nothing behind and takes nothing away', async (t) => {
  const registry = registryOf(t);
  const groups = inForce(registry, splitWith());
  const refused = splitWith({ v2: 'http://127.0.0.1:3' });
  const view = registry.enter(refused);
  const [only] = refused.services;
  const made = groupOf(view, only!, 1);
  t.equal(groupOf(view, only!, 0), groups[0]);
  registry.discard(view);
  await until(() => closed(made), 'the new group to be closed');
  t.equal(closed(groups[0]!), false, 'shared with the Split in force');
  t.equal(closed(groups[1]!), false);
  t.strictSame(
    registry.all().map(({ group }) => group),
    groups,
  );
});

t.test('the shadow has connections of its own', async (t) => {
  const registry = registryOf(t);
  const first = splitWith({ mirrored: 8 });
  const view = registry.enter(first);
  registry.commit(view);
  const [only] = first.services;
  const live = groupOf(view, only!, 1);
  const shadow = shadowGroupOf(view, only!);
  t.not(shadow, live);
  t.equal(shadow.upstream.pool.connections, 8, 'as many as it may have in flight');
  t.equal(shadow.upstream.pool.pending, 0);
  t.equal(shadow.upstream.retry.retries, 0);
  t.equal(registry.all().length, 2, 'and is no endpoint of its own in the list');

  const second = splitWith({ mirrored: 16 });
  const next = registry.enter(second);
  registry.commit(next);
  t.equal(
    groupOf(next, second.services[0]!, 1),
    live,
    'another bound on the mirror leaves live traffic alone',
  );
  t.not(shadowGroupOf(next, second.services[0]!), shadow);
  await until(() => closed(shadow), 'the old shadow group to be closed');
});

t.test('the list names service and version of each group in force', async (t) => {
  const registry = registryOf(t);
  inForce(registry, splitWith());
  t.strictSame(
    registry.all().map(({ service, version, group }) => [service, version, group.endpoints[0]?.origin]),
    [
      ['svc', 'v1', URL_1],
      ['svc', 'v2', URL_2],
    ],
  );
});

t.test('close ends everything, also what is still retiring', async (t) => {
  const registry = new UpstreamRegistry(silent);
  const [stable, old] = inForce(registry, splitWith());
  (old?.endpoints[0] as Endpoint).pending = 1;
  const [, next] = inForce(registry, splitWith({ v2: 'http://127.0.0.1:3' }));
  await registry.close();
  t.ok(closed(stable!));
  t.ok(closed(next!));
  t.ok(closed(old!), 'the one that had left');
});

t.test('a view answers for its own Split only', async (t) => {
  const registry = registryOf(t);
  const view = registry.enter(splitWith());
  registry.commit(view);
  const other = splitWith({ v2: 'http://127.0.0.1:9' });
  t.throws(() => groupOf(view, other.services[0]!, 1), /another Split/);
});
