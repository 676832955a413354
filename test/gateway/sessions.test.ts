import t from 'tap';
import type { Share } from '../../src/core/model.ts';
import { Sessions } from '../../src/gateway/sessions.ts';
import { service, version } from '../support/split.ts';
import { until } from '../support/wait.ts';

const STABLE = 0;
const CANARY = 1;
const HOUR_MS = 3_600_000;

const VERSIONS = ['v1', 'v2', 'v3'].map((name) => version(name, 'http://127.0.0.1:1'));

/** A service of three versions with these shares. */
function withShares(...shares: readonly Share[]) {
  return service(VERSIONS, { shares });
}

const half = withShares({ version: CANARY, weightBp: 5_000 });
const aborted = withShares({ version: CANARY, weightBp: 0 });

function entered(max = 100, ttlMs = HOUR_MS): Sessions {
  const sessions = new Sessions(max, ttlMs);
  sessions.enter(half);
  return sessions;
}

t.test('a key keeps the version that it first got', async (t) => {
  const sessions = entered();
  t.equal(sessions.pinned(half, 'u1'), -1, 'nothing is pinned yet');
  sessions.pin(half, 'u1', CANARY);
  sessions.pin(half, 'u2', STABLE);
  t.equal(sessions.pinned(half, 'u1'), CANARY);
  t.equal(sessions.pinned(half, 'u2'), STABLE);
  t.equal(sessions.pinned(half, 'u3'), -1);
});

t.test('another weight moves nobody who is pinned', async (t) => {
  const sessions = entered();
  sessions.pin(half, 'u1', CANARY);
  sessions.pin(half, 'u2', STABLE);
  for (const weightBp of [1, 10_000, 500]) {
    const next = withShares({ version: CANARY, weightBp });
    sessions.enter(next);
    t.equal(sessions.pinned(next, 'u1'), CANARY, `canary at ${weightBp}`);
    t.equal(sessions.pinned(next, 'u2'), STABLE, `stable at ${weightBp}`);
  }
});

t.test('an abort unpins, and the weight’s return does not bring the pins back', async (t) => {
  const sessions = entered();
  sessions.pin(half, 'u1', CANARY);
  sessions.pin(half, 'u2', STABLE);
  sessions.enter(aborted);
  t.equal(sessions.pinned(aborted, 'u2'), STABLE, 'stable’s pins stay');
  // u1 is not looked up in between: the void pin must not survive unseen.
  sessions.enter(half);
  t.equal(sessions.pinned(half, 'u1'), -1);
  sessions.pin(half, 'u1', CANARY);
  t.equal(sessions.pinned(half, 'u1'), CANARY, 'a new pin holds');
});

t.test('a pin made by a request that was still under way on the old Split is void too', async (t) => {
  const sessions = entered();
  sessions.enter(aborted);
  sessions.pin(half, 'late', CANARY);
  t.equal(sessions.pinned(aborted, 'late'), -1);
  sessions.enter(half);
  t.equal(sessions.pinned(half, 'late'), -1, 'found void and dropped');
});

t.test('a version without any share is unpinned like an aborted one', async (t) => {
  const sessions = entered();
  sessions.pin(half, 'u1', CANARY);
  sessions.enter(withShares());
  sessions.enter(half);
  t.equal(sessions.pinned(half, 'u1'), -1);
});

t.test('pins follow a version’s name, not its place', async (t) => {
  const sessions = entered();
  sessions.pin(half, 'u1', CANARY);
  const reordered = service([...VERSIONS].reverse(), { stable: 2, shares: [{ version: 1, weightBp: 100 }] });
  sessions.enter(reordered);
  t.equal(sessions.pinned(reordered, 'u1'), 1);
  const renamed = service([VERSIONS[0]!, version('v9', 'http://127.0.0.1:1')], {
    shares: [{ version: 1, weightBp: 100 }],
  });
  sessions.enter(renamed);
  t.equal(sessions.pinned(renamed, 'u1'), -1, 'a version that is gone');
});

t.test('a promotion keeps the pins of what became stable', async (t) => {
  const sessions = entered();
  sessions.pin(half, 'u1', CANARY);
  sessions.pin(half, 'u2', STABLE);
  const promoted = service(VERSIONS, { stable: CANARY });
  sessions.enter(promoted);
  t.equal(sessions.pinned(promoted, 'u1'), CANARY);
  t.equal(sessions.pinned(promoted, 'u2'), -1, 'the old stable has no weight left');
});

t.test('the time of a pin counts from the first request and is not renewed', async (t) => {
  const sessions = entered(100, 60);
  sessions.pin(half, 'u1', CANARY);
  t.equal(sessions.pinned(half, 'u1'), CANARY);
  // Asked far more often than it would need to be renewed.
  await until(() => sessions.pinned(half, 'u1') === -1, 'the pin to run out');
});

t.test('the number of pins is bounded; the least recently used goes first', async (t) => {
  const sessions = entered(3);
  for (const key of ['a', 'b', 'c']) sessions.pin(half, key, CANARY);
  t.equal(sessions.pinned(half, 'a'), CANARY, 'used again');
  sessions.pin(half, 'd', CANARY);
  t.equal(sessions.pinned(half, 'b'), -1);
  for (const key of ['a', 'c', 'd']) t.equal(sessions.pinned(half, key), CANARY, key);
  for (let i = 0; i < 10_000; i++) sessions.pin(half, `u${i}`, STABLE);
  const held = Array.from({ length: 10_000 }, (_, i) => `u${i}`).filter(
    (key) => sessions.pinned(half, key) >= 0,
  );
  t.strictSame(held, ['u9997', 'u9998', 'u9999']);
});
