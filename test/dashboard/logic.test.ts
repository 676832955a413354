import fc from 'fast-check';
import t from 'tap';
import type { ExplainBody, GateView, OverviewService } from '../../src/admin/contract.ts';
import { around, timeSpan, upwards } from '../../src/dashboard/chart/ranges.ts';
import { listed, rankOf } from '../../src/dashboard/logic/attention.ts';
import { bucketLines, bucketPlace, explainQuery } from '../../src/dashboard/logic/buckets.ts';
import { evidenceBar } from '../../src/dashboard/logic/evidence.ts';
import { experimentHead } from '../../src/dashboard/logic/experiment.ts';
import { agreementOf, meanConfidence, predictionsOf } from '../../src/dashboard/logic/predictions.ts';
import { hashOf, type Route, routeOf } from '../../src/dashboard/logic/route.ts';
import { DASHES, SLOTS, slotsOf } from '../../src/dashboard/logic/slots.ts';
import {
  experiment,
  GATES,
  quiet,
  rollout,
  service,
  summaryOf,
  timeline,
} from '../support/dashboard/scenes.ts';

t.test('a gate is drawn as far as it has come, to either side', async (t) => {
  const bar = (state: GateView['state'], harm: number | null, pass: number | null) => {
    const side = (share: number | null) => ({ evidence: 1, needed: 100, share });
    const { harm: left, pass: right, decided } = evidenceBar({ state, harm: side(harm), pass: side(pass) });
    return [left, right, decided];
  };
  t.strictSame(bar('CONTINUE', 0, 0), [0, 0, null]);
  t.strictSame(bar('CONTINUE', 0.35, 0.07), [0.35, 0.07, null]);
  t.strictSame(bar('CONTINUE', 1.4, -3), [0.98, 0, null], 'what is not decided is never full');
  t.strictSame(bar('CONTINUE', null, 0), [0.98, 0, null], 'more than a number can say');
  t.strictSame(bar('PASS', 0.1, 0.6), [0.1, 1, 'pass']);
  t.strictSame(bar('FAIL', 0.6, 0.1), [1, 0.1, 'harm'], 'a gate that failed before stays so');
  t.strictSame(evidenceBar({ ...GATES[0]!, harm: { evidence: null, needed: null, share: null } }).harm, 0);
});

t.test('what wants a look stands first', async (t) => {
  const of = (more: Parameters<typeof rollout>[0]) => summaryOf(rollout(more));
  const down = service().versions.map((v) => ({ ...v, endpoints: { healthy: 0, total: 1 } }));
  const half = service().versions.map((v) => ({ ...v, endpoints: { healthy: 1, total: 2 } }));
  const table: [OverviewService, string][] = [
    [service({ rollout: of({ phase: 'Degraded', status: 'aborted' }) }), 'harm'],
    [service({ rollout: of({ status: 'blocked' }) }), 'harm'],
    [service({ rollout: null, versions: down }), 'harm'],
    [service({ rollout: null, versions: half }), 'watch'],
    [service({ rollout: of({ hold: 'few samples' }) }), 'watch'],
    [service({ rollout: of({ verdict: { ...rollout().verdict!, holdRamp: true } }) }), 'watch'],
    [service({ rollout: null, experiment: { state: 'error', text: '' } }), 'watch'],
    [service(), 'moving'],
    [service({ rollout: of({ status: 'completed', phase: 'Healthy' }) }), 'quiet'],
    [quiet('a'), 'quiet'],
  ];
  for (const [one, rank] of table) t.equal(rankOf(one), rank);
  const names = (filter: string) =>
    listed([quiet('a'), service(), quiet('b'), table[0]![0]], filter).map(({ name, rollout: r }) =>
      `${name} ${r?.status ?? ''}`.trim(),
    );
  t.strictSame(names(''), ['iris-api aborted', 'iris-api stepping', 'a', 'b']);
  t.strictSame(names('PREDICT iris'), ['iris-api aborted', 'iris-api stepping']);
  t.strictSame(names('nothing of that'), []);
});

t.test('predictions side by side', async (t) => {
  const view = timeline(100, 1_000, 0.2);
  const found = predictionsOf(view, 'v1', 'v2');
  t.strictSame(found?.rows.map(({ name }) => name).toSorted(), ['setosa', 'versicolor', 'virginica']);
  const sum = (key: 'stable' | 'canary' | 'difference') =>
    found?.rows.reduce((s, row) => s + (row[key] ?? 0), 0) ?? -1;
  t.ok(
    Math.abs(sum('stable') - 1) < 1e-9 &&
      Math.abs(sum('canary') - 1) < 1e-9 &&
      Math.abs(sum('difference')) < 1e-9,
  );
  t.ok((found?.shift ?? 0) > 0.03);
  t.equal(predictionsOf({ ...view, versions: [] }, 'v1', 'v2'), null);
  const alone = predictionsOf({ ...view, versions: view.versions.slice(0, 1) }, 'v1', 'v2');
  t.match(
    alone,
    { canaryN: 0, shift: null, rows: [{ canary: null, difference: null }] },
    'no share of nothing',
  );
  t.equal(agreementOf({ ...view, pairs: { agree: [null, 3], disagree: [null, 1] } })?.agree, 3);
  t.equal(agreementOf({ ...view, pairs: { agree: [], disagree: [] } }), null);
});

t.test('a confidence weighs as much as the answers it is of', async (t) => {
  const version = {
    ...timeline(2).versions[0]!,
    confidence: [0.5, 1, null],
    classes: [{ name: 'a', counts: [3, 1, 9] }],
  };
  t.equal(meanConfidence(version), 0.625);
  t.equal(meanConfidence({ ...version, confidence: [null] }), null);
});

const explained: ExplainBody = {
  service: 'iris-api',
  stage: 3,
  revision: 9,
  version: 'v1',
  reason: 'hash',
  rule: null,
  key: { source: 'header:x-user-id', value: 'ada' },
  bucket: 3_127,
  ranges: [
    { version: 'v2', from: 0, to: 2_500, weight: 25 },
    { version: 'v1', from: 2_500, to: 10_000, weight: 75 },
  ],
  because: 'so',
  notes: [],
  coming: [
    { step: 5, text: 'setWeight 50', weight: 50, version: 'v2', because: 'then' },
    { step: 7, text: 'setWeight 100', weight: 100, version: 'v2', because: 'then' },
  ],
};

t.test('the line of buckets, now and at each step', async (t) => {
  const lines = bucketLines(explained, 'v1', 'v2');
  t.match(lines, [
    {
      label: 'now',
      changes: false,
      spans: [
        { version: 'v2', from: 0, to: 0.25 },
        { version: 'v1', to: 1 },
      ],
    },
    { label: 'step 6: setWeight 50', changes: true, spans: [{ to: 0.5 }, { from: 0.5 }] },
    { label: 'step 8: setWeight 100', changes: false, spans: [{ version: 'v2', from: 0, to: 1 }] },
  ]);
  t.equal(lines[2]?.spans.length, 1, 'nobody is left');
  const ruled = bucketLines({ ...explained, rule: { index: 0, id: 'rules[0]' }, ranges: [] }, 'v1', 'v2');
  t.ok(
    ruled.every(({ spans }) => spans.length === 0),
    'a rule deals no buckets',
  );
  t.equal(bucketPlace(9_999), 0.99995);
});

t.test('what is typed becomes a question', async (t) => {
  t.equal(
    explainQuery(' ada ', 'x-a: 1\n\n x-b: 2 ', '').toString(),
    'key=ada&header=x-a%3A+1&header=x-b%3A+2',
  );
  t.equal(explainQuery('', '', '/a?b=c').toString(), 'path=%2Fa%3Fb%3Dc');
});

t.test('addresses lead there and back', async (t) => {
  const routes: Route[] = [
    { page: 'services' },
    { page: 'rollout', service: 'iris api/é', range: '15m' },
    { page: 'rollout', service: 'x', range: '24h' },
    { page: 'experiment', service: 'x' },
    { page: 'explain', service: 'x', query: new URLSearchParams('key=a+b') },
  ];
  for (const route of routes) t.strictSame(String(hashOf(routeOf(hashOf(route)))), hashOf(route));
  for (const hash of ['', '#', '#/nothing', '#/services/', '#/services/%E0%A4%A', '#/services/a/b/c']) {
    t.strictSame(routeOf(hash), { page: 'services' }, hash);
  }
});

t.test('a version has one look, and the canary is always the canary', async (t) => {
  const versions = [
    { name: 'old', role: 'idle' },
    { name: 'v1', role: 'stable' },
    { name: 'v2', role: 'canary' },
  ];
  t.strictSame(
    [...slotsOf(versions, 'v2')],
    [
      ['v1', 0],
      ['v2', 1],
      ['old', 2],
    ],
  );
  const after = versions.map((version) => ({
    ...version,
    role: version.role === 'canary' ? 'idle' : version.role,
  }));
  t.equal(slotsOf(after, 'v2').get('v2'), 1, 'after an abort as well');
  const many = slotsOf(
    Array.from({ length: 20 }, (_, i) => ({ name: `v${i}`, role: i === 0 ? 'stable' : 'canary' })),
    null,
  );
  t.ok([...many.values()].every((slot) => slot < SLOTS));
  t.equal(DASHES.length, SLOTS);
  t.equal(new Set(DASHES.map(String)).size, SLOTS, 'told apart without their colours');
});

t.test('axes', async (t) => {
  t.strictSame(timeSpan([], 1_000), { min: -1, max: 0 });
  t.strictSame(timeSpan([100_000, 110_000], 60_000), { min: 50, max: 110 });
  t.strictSame(timeSpan([100_000, 400_000], 60_000), { min: 100, max: 400 });
  t.strictSame(upwards(null, 1), { min: 0, max: 1 });
  t.strictSame(upwards(0.2, 1), { min: 0, max: 1 });
  t.strictSame(around(null, null, 1), { min: 0, max: 1 });
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const span = around(low, high, 0.1);
        t.ok(span.min <= low && span.max >= high && span.max > span.min && upwards(high, 0.1).max >= high);
      },
    ),
    { numRuns: 100 },
  );
});

t.test('what an experiment has found', async (t) => {
  const [plain, ranked] = experiment().variants;
  if (plain === undefined || ranked === undefined) throw new Error('the scene has two variants');
  const variants = [plain, ranked, { ...ranked, name: 'fast' }];
  const cases: readonly [Parameters<typeof experiment>[0], string][] = [
    [{}, 'Not decided yet'],
    [{ state: 'winner', winner: 'ranked', leaders: ['ranked'] }, 'ranked wins'],
    [{ state: 'equivalent' }, 'No difference that matters'],
    [{ state: 'equivalent', variants, leaders: ['ranked', 'fast'] }, 'ranked and fast are ahead, and equal'],
    [
      { state: 'equivalent', variants: [plain, ranked, { ...ranked, name: 'fast', state: 'stopped' }] },
      'No difference that matters',
    ],
    [{ state: 'error' }, 'The counts cannot be believed'],
    [{ state: 'idle', leaders: [] }, 'Nobody is in it'],
  ];
  for (const [more, head] of cases) t.equal(experimentHead(experiment(more)), head);
});
