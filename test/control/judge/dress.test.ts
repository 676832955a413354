import t from 'tap';
import { dress } from '../../../src/control/judge/dress.ts';
import { comparedShares, shareBeside } from '../../../src/core/comparison.ts';
import type { ServiceJudge } from '../../../src/core/judge/service.ts';
import type { Rule, Service } from '../../../src/core/model.ts';
import { iris } from '../support.ts';
import { serviceJudge } from './support.ts';

const SCOPE: Rule = {
  id: 'scope region eu',
  when: [],
  then: { kind: 'split', shares: [{ version: 1, weightBp: 2_000 }], salt: 'x' },
} as unknown as Rule;

t.test('without a judge, or without a canary, nothing is counted', async (t) => {
  const service = iris(500);
  t.equal(dress(service, undefined, null, new Map()), service);
  const none = serviceJudge();
  t.equal(dress(service, { ...none, judged: { ...none.judged, canary: -1 } }, null, new Map()), service);
});

t.test('compared are the requests of no rule, or those of the scope in force', async (t) => {
  const service = iris(500, { rules: [SCOPE] });
  t.equal(dress(service, serviceJudge(), null, new Map()).judged?.rule, -1);
  t.equal(dress(service, serviceJudge(), 'region eu', new Map()).judged?.rule, 0);
  t.strictSame({ ...dress(service, serviceJudge(), null, new Map()), judged: null }, service);
});

t.test('a frozen threshold is counted beside the configured one', async (t) => {
  const { judged } = dress(iris(500), serviceJudge(), null, new Map([['latency', 62.5]]));
  t.strictSame(judged?.slow, [
    { gate: 'latency', thresholdMs: 100 },
    { gate: 'latency/frozen', thresholdMs: 62.5 },
  ]);
  t.equal(serviceJudge().judged.slow.length, 1, 'the config stays as it is');
});

t.test('another question is told from the one before, whatever else is new', async (t) => {
  const question = (judge: ServiceJudge) => dress(iris(500), judge, null, new Map()).judged?.question;
  const own = serviceJudge();
  const held = question(own);
  t.type(held, 'number');
  t.not(
    question(serviceJudge({ revisions: { v2: 'second' } })),
    held,
    'another model behind the same address',
  );
  t.not(question(serviceJudge({ plan: { ...own.plan, alpha: 0.02 } })), held);
});

t.test('shares of what is compared', async (t) => {
  const share = (service: Service) => {
    const dealt = comparedShares(service);
    return dealt === null ? null : shareBeside(dealt, 1, service.stable);
  };
  const dressed = (service: Service, scope: string | null = null) =>
    dress(service, serviceJudge(), scope, new Map());
  t.equal(share(iris(500)), null, 'nothing is compared');
  t.equal(share(dressed(iris(500))), 0.05);
  t.equal(share(dressed(iris(0))), 0);
  t.equal(share(dressed(iris(10_000))), 1);
  const three = [
    { version: 1, weightBp: 1_000 },
    { version: 2, weightBp: 6_000 },
  ];
  t.equal(share(dressed(iris(0, { shares: three }))), 0.25, 'a third version takes no part');
  const all = [{ version: 2, weightBp: 10_000 }];
  t.equal(share(dressed(iris(0, { shares: all }))), null, 'neither of the two gets anything');
  t.equal(share(dressed(iris(500, { rules: [SCOPE] }), 'region eu')), 0.2, 'of the scope');
});
