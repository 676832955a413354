import t from 'tap';
import { compilePattern } from '../../src/config/pattern.ts';
import { keyFinder } from '../../src/control/judge/by-key.ts';
import { termsOf } from '../../src/core/comparison.ts';
import type { Service } from '../../src/core/model.ts';
import { bucketOfKey, fnv1a32 } from '../../src/core/split/hash.ts';
import { signPrediction } from '../../src/kpi/token.ts';
import { split, useRule } from '../support/split.ts';
import { judgeScene, SECRET, serviceJudge } from './judge-scene.ts';
import { iris } from './support.ts';

const NONE = { accepted: 0, duplicate: 0, forged: 0, expired: 0, malformed: 0, unknown: 0 };
const users = (count: number) => Array.from({ length: count }, (_, i) => `user-${i}`);

t.test('each is counted once, for the version and the stage that served it', async (t) => {
  const { feedback, board, visit, second } = judgeScene();
  const visits = users(200).map((key) => visit(key));
  second();
  const clicks = visits.map(({ id }) => ({ id, kpi: 'click', value: 1 }));
  t.strictSame(await feedback.take(clicks), { ...NONE, accepted: 200 });
  t.strictSame(await feedback.take(clicks), { ...NONE, duplicate: 200 });
  const slice = board.evidence('iris-api')?.slices[0];
  const count = (version: string) => visits.filter((one) => one.version === version).length;
  t.ok(count('v1') > 0 && count('v2') > 0);
  t.strictSame(slice?.canary.kpis, { click: { events: count('v2'), firsts: count('v2') } });
  t.strictSame(slice?.stable.kpis, { click: { events: count('v1'), firsts: count('v1') } });
  t.strictSame(feedback.counts(), {
    kpis: ['v1', 'v2'].map((version) => ({ app: 'iris-api', version, kpi: 'click', count: count(version) })),
    refused: { duplicate: 200, forged: 0, expired: 0, malformed: 0, unknown: 0 },
    forgotten: { service: 0, total: 0 },
  });
});

t.test('a user who comes back counts as an event, and as a first only once', async (t) => {
  const { feedback, board, visit, second } = judgeScene();
  const visits = [visit('ann'), visit('ann'), visit('ann')];
  second();
  await feedback.take(visits.map(({ id }) => ({ id, kpi: 'click', value: 1 })));
  const slice = board.evidence('iris-api')?.slices[0];
  const arm = visits[0]?.version === 'v2' ? slice?.canary : slice?.stable;
  t.strictSame(arm?.kpis, { click: { events: 3, firsts: 1 } });
  t.match(await feedback.take([{ service: 'iris-api', key: 'ann', kpi: 'click', value: 1 }]), {
    duplicate: 1,
  });
});

t.test('what is refused, and why', async (t) => {
  const { feedback, visit, second, now, service } = judgeScene();
  const { id, version } = visit('ann');
  second();
  const terms = termsOf(service()) ?? '';
  const prediction = { service: 'iris-api', version, terms, keyHash: fnv1a32('ann'), atS: 1_767_323_045 };
  const sign = (changes: Partial<typeof prediction>, secret = SECRET) =>
    signPrediction(secret, { ...prediction, ...changes });
  const click = (item: object) => ({ kpi: 'click', value: 1, ...item });
  const batch = [
    [click({ id: sign({}, 'another secret of tests') }), 'forged'],
    [click({ id: sign({ atS: 1_767_323_045 - 90_000 }) }), 'expired'],
    [click({ id: 'nonsense' }), 'malformed'],
    [click({}), 'malformed'],
    [click({ id, kpi: undefined }), 'malformed'],
    [null, 'malformed'],
    ['text', 'malformed'],
    [click({ id, kpi: 'purchase' }), 'unknown'],
    [click({ id: sign({ service: 'nobody' }) }), 'unknown'],
    [click({ id: sign({ version: 'v3' }) }), 'unknown'],
    [click({ id: sign({ terms: '00000000.1.2s' }) }), 'unknown'],
    [click({ id: sign({ terms: 'nonsense' }) }), 'unknown'],
    // Nobody was on the canary then, so nothing was compared.
    [click({ id: sign({ terms: termsOf(iris(0, { judged: service().judged })) ?? '' }) }), 'unknown'],
    [click({ service: 'nobody', key: 'ann' }), 'unknown'],
  ] as const;
  for (const [item, reason] of batch) {
    t.strictSame(await feedback.take([item]), { ...NONE, [reason]: 1 }, `${reason} ${JSON.stringify(item)}`);
  }
  t.strictSame(feedback.counts(), {
    kpis: ['v1', 'v2'].map((version) => ({ app: 'iris-api', version, kpi: 'click', count: 0 })),
    refused: { duplicate: 0, forged: 1, expired: 1, malformed: 5, unknown: 7 },
    forgotten: { service: 0, total: 0 },
  });
  now.ms += 60_000;
  t.match(await feedback.take([click({ id })]), { accepted: 1 }, 'a minute later is early enough');
});

t.test('feedback quicker than the first look at a stage', async (t) => {
  const { feedback, board, visit } = judgeScene();
  const { id } = visit('ann');
  t.match(await feedback.take([{ id, kpi: 'click', value: 1 }]), { accepted: 1 });
  t.equal(board.evidence('iris-api')?.slices.length, 1);
});

t.test('feedback on an earlier stage counts at the shares of that stage', async (t) => {
  const { feedback, board, visit, second, reload } = judgeScene();
  const { id, version } = visit('ann');
  second();
  reload([iris(2_000)], [serviceJudge()]);
  second();
  t.match(await feedback.take([{ id, kpi: 'click', value: 1 }]), { accepted: 1 });
  const { slices = [], late = [] } = board.evidence('iris-api') ?? {};
  t.strictSame(
    slices.map(({ stage, canary, stable }) => [stage, canary.kpis, stable.kpis]),
    [
      [0, {}, {}],
      [1, {}, {}],
    ],
  );
  const event = { click: { events: 1, firsts: 1 } };
  t.strictSame(late, [
    { w: 0.5, canary: version === 'v2' ? event : {}, stable: version === 'v1' ? event : {} },
  ]);
});

t.test('a prediction of another process counts where it is reported', async (t) => {
  const gone = judgeScene();
  const early = users(300).map((key) => gone.visit(key));
  gone.second();
  gone.reload([iris(2_000)], [serviceJudge()]);
  const late = users(300).map((key) => gone.visit(key));
  // Restarted, or the next replica: it knows nothing, counts its stages anew, and the weight is where it was.
  const scene = judgeScene([iris(2_000)]);
  const clicks = (of: typeof early) => of.map(({ id }) => ({ id, kpi: 'click', value: 1 }));
  t.strictSame(await scene.feedback.take(clicks(late)), { ...NONE, accepted: 300 });
  t.strictSame(await scene.feedback.take(clicks(early)), { ...NONE, accepted: 300 });
  t.strictSame(await scene.feedback.take(clicks([...early, ...late])), { ...NONE, duplicate: 600 });
  const of = (visits: typeof early, version: string) => {
    const count = visits.filter((one) => one.version === version).length;
    return { click: { events: count, firsts: count } };
  };
  const { slices = [], late: beside = [] } = scene.board.evidence('iris-api') ?? {};
  t.strictSame(
    slices.map(({ w, canary, stable }) => [w, canary.kpis, stable.kpis]),
    [[0.2, of(late, 'v2'), of(late, 'v1')]],
    'at the shares in force',
  );
  t.strictSame(beside, [{ w: 0.5, canary: of(early, 'v2'), stable: of(early, 'v1') }], 'at those of then');
});

t.test('a version that is another one by now, and one that is compared no more', async (t) => {
  const { feedback, visit, second, reload } = judgeScene();
  const { id } = visit('ann');
  second();
  const moved = iris(5_000);
  const versions = moved.versions.map((one) =>
    one.name === 'v2' ? { ...one, definition: 'v2 in its second revision' } : one,
  );
  reload([{ ...moved, versions }], [serviceJudge()]);
  second();
  t.match(await feedback.take([{ id, kpi: 'click', value: 1 }]), { unknown: 1 }, 'a new revision of v2');
  reload([iris(5_000)], [serviceJudge()]);
  second();
  t.match(await feedback.take([{ id, kpi: 'click', value: 1 }]), { accepted: 1 }, 'and back');
});

t.test('a value of 0 is no event, and may still become one', async (t) => {
  const { feedback, board, visit, second } = judgeScene();
  const { id } = visit('ann');
  second();
  t.match(await feedback.take([{ id, kpi: 'click', value: 0 }]), { accepted: 1 });
  t.match(await feedback.take([{ id, kpi: 'click', value: 1 }]), { accepted: 1 });
  t.match(await feedback.take([{ id, kpi: 'click', value: 1 }]), { duplicate: 1 });
  const { canary, stable } = board.evidence('iris-api')?.slices[0] ?? {};
  t.equal((canary?.kpis.click?.events ?? 0) + (stable?.kpis.click?.events ?? 0), 1);
});

t.test('ten thousand at once leave others their turn', async (t) => {
  const { feedback, visit, second } = judgeScene();
  const items = users(10_000).map((key) => ({ id: visit(key).id, kpi: 'click', value: 1 }));
  second();
  let turns = 0;
  let done = false;
  const count = () => {
    turns++;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  t.strictSame(await feedback.take(items), { ...NONE, accepted: 10_000 });
  done = true;
  t.ok(turns >= 50, `${turns} turns`);
});

t.test('by key: the version that the gateway gives', async (t) => {
  const { feedback, board, visit, second } = judgeScene();
  const visits = users(100).map((key) => ({ key, ...visit(key) }));
  second();
  const items = visits.map(({ key }) => ({ service: 'iris-api', key, kpi: 'click', value: 1 }));
  t.match(await feedback.take(items), { accepted: 100 });
  const slice = board.evidence('iris-api')?.slices[0];
  const canaries = visits.filter(({ version }) => version === 'v2').length;
  t.strictSame(slice?.canary.kpis, { click: { events: canaries, firsts: canaries } });
});

t.test('by key: only where the key alone decides', (t) => {
  const judged = { rule: -1, canary: 1, slow: [], unsure: [], observe: null, predictionSecret: SECRET };
  const find = (service: Service, key: string, region: string | null = null) =>
    keyFinder(split([service], { region }), service, compilePattern)(key);
  const withRules = (...rules: Service['rules']) => iris(5_000, { judged, rules });
  const insiders = { kind: 'header', name: 'x-user-id', match: { kind: 'oneOf', values: ['bob'] } } as const;
  const testers = { kind: 'header', name: 'x-test', match: { kind: 'present' } } as const;
  const inEurope = { kind: 'region', oneOf: ['eu'] } as const;
  const version = bucketOfKey('iris-api', 'ann') < 5_000 ? 'v2' : 'v1';
  const terms = termsOf(withRules()) ?? '';
  const place = { version, terms, keyHash: fnv1a32('ann') };

  t.strictSame(find(withRules(), 'ann'), place);
  t.equal(find(withRules(), ''), null);
  t.equal(find(iris(5_000), 'ann'), null, 'nothing is compared');
  const { sticky } = iris(5_000);
  t.equal(find(iris(5_000, { judged, sticky: { ...sticky, mode: 'session' } }), 'ann'), null, 'pinned');
  t.equal(find(iris(5_000, { judged, sticky: { ...sticky, by: [] } }), 'ann'), null, 'keys are not used');

  t.strictSame(find(withRules(useRule(insiders, 1)), 'ann'), place, 'a rule on the key that does not hold');
  t.equal(find(withRules(useRule(insiders, 1)), 'bob'), null, 'one that holds: not compared');
  t.equal(find(withRules(useRule(testers, 1)), 'ann'), null, 'one that may hold');
  const both = { kind: 'all', of: [insiders, testers] } as const;
  t.strictSame(find(withRules(useRule(both, 1)), 'ann'), place, 'one part that cannot hold is enough');
  t.equal(find(withRules(useRule(both, 1)), 'bob'), null);
  const either = { kind: 'any', of: [insiders, testers] } as const;
  t.equal(find(withRules(useRule(either, 1)), 'ann'), null);
  t.strictSame(find(withRules(useRule(inEurope, 1)), 'ann', 'us'), place, 'the own region is known');
  t.equal(find({ ...withRules(useRule(inEurope, 1)), regionHeader: 'x-region' }, 'ann', 'us'), null);
  const two = [...sticky.by, { kind: 'cookie', name: 'sid' }] as const;
  const mixed = iris(5_000, { judged, rules: [useRule(insiders, 1)], sticky: { ...sticky, by: two } });
  t.equal(find(mixed, 'ann'), null, 'it may be the cookie that is the key');

  const scope = {
    id: 'scope eu',
    when: inEurope,
    then: { kind: 'split', shares: [{ version: 1, weightBp: 10_000 }] },
  } as const;
  const scoped = iris(0, { judged: { ...judged, rule: 0 }, rules: [scope] });
  t.strictSame(
    find(scoped, 'ann', 'eu'),
    { ...place, version: 'v2', terms: termsOf(scoped) },
    'the shares of the scope',
  );
  t.equal(find(scoped, 'ann', 'us'), null, 'outside of it nothing is compared');
  t.end();
});
