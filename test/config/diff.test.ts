import t from 'tap';
import { carryStages } from '../../src/config/diff.ts';
import type { Split } from '../../src/core/model.ts';
import { compiled, indent } from './support.ts';

const BASE = `match: { host: a.com }
versions:
  v1: { url: https://a:1, tls: { ca: old.pem } }
  v2: { url: http://b:1 }
stable: v1
canary: v2
weight: 5
sticky: { by: [ip], issueCookie: {} }
rules: [{ when: { header: { x: y } }, weight: 50 }]
mirror: { to: v2, percent: 5 }
`;
const files = { 'old.pem': 'OLD', 'new.pem': 'NEW' };
const splitOf = (services: Record<string, string>) =>
  compiled(
    `services:\n${Object.entries(services)
      .map(([name, keys]) => `  ${name}:\n${indent(keys, 4)}`)
      .join('')}`,
    { files },
  ).split;
const stages = (split: Split) => Object.fromEntries(split.services.map((one) => [one.name, one.stage]));
const OTHER = 'match: { path: /other }\nversions: { v1: { url: http://c } }\n';

t.test('the first split has revision 1 and every stage 0', async (t) => {
  const first = carryStages(null, splitOf({ a: BASE, b: OTHER }));
  t.equal(first.revision, 1);
  t.strictSame(stages(first), { a: 0, b: 0 });
});

t.test('a reload that changes nothing keeps the stages', async (t) => {
  const first = carryStages(null, splitOf({ a: BASE, b: OTHER }));
  const second = carryStages(first, splitOf({ b: OTHER, a: BASE }));
  t.equal(second.revision, 2);
  t.strictSame(stages(second), { a: 0, b: 0 });
  t.strictSame(
    second.services.map((one) => one.name),
    ['b', 'a'],
    'the order of the file counts, not the one before',
  );
});

t.test('what begins a new stage, and of that service only', async (t) => {
  const changes: [what: string, from: string, to: string][] = [
    ['weight', 'weight: 5', 'weight: 6'],
    ['an endpoint', 'http://b:1', 'http://b:2'],
    ['another version', 'stable: v1', '  v3: { url: http://z }\nstable: v1'],
    ['the salt', 'weight: 5', 'weight: 5\nsalt: x'],
    ['stickiness', 'by: [ip]', 'by: [header:x]'],
    ['a rule', 'weight: 50', 'weight: 51'],
    ['the mirror', 'percent: 5', 'percent: 6'],
    ['no mirror', 'mirror: { to: v2, percent: 5 }\n', ''],
    ['what it matches', 'a.com', 'b.com'],
    ['a time-out', 'http://b:1 }', 'http://b:1, timeouts: { total: 5s } }'],
    ['failover', 'weight: 5', 'weight: 5\nfailover: stable'],
    ['edges', 'weight: 5', 'weight: 5\nlatencyEdges: [120ms]'],
    ['a threshold', 'weight: 5', 'weight: 5\ngates: { latency: { p99: 200ms } }'],
    ['how answers are read', 'weight: 5', 'weight: 5\npredictions: { class: /c }'],
    ['verification', 'ca: old.pem', 'verify: false, ca: old.pem'],
  ];
  const first = { ...carryStages(null, splitOf({ a: BASE, b: OTHER })), revision: 41 };
  for (const [what, from, to] of changes) {
    const changed = BASE.replace(from, to);
    t.not(changed, BASE);
    const next = carryStages(first, splitOf({ a: changed, b: OTHER }));
    t.strictSame([next.revision, stages(next)], [42, { a: 1, b: 0 }], what);
    t.strictSame(
      stages(carryStages(next, splitOf({ a: BASE, b: OTHER }))),
      { a: 2, b: 0 },
      `${what}, and back`,
    );
  }
});

t.test('what begins none', async (t) => {
  const first = carryStages(null, splitOf({ a: BASE }));
  for (const [from, to] of [
    ['old.pem', 'new.pem'],
    ['weight: 5', 'weight: 5\nexposeVersion: false'],
    ['weight: 5', 'weight: 5.00'],
    ['http://b:1', 'http://B:1/'],
  ] as const) {
    const next = carryStages(first, splitOf({ a: BASE.replace(from, to) }));
    t.strictSame(stages(next), { a: 0 }, to);
  }
});

t.test('the new content is taken over even where the stage stays', async (t) => {
  const first = carryStages(null, splitOf({ a: BASE }));
  const next = carryStages(first, splitOf({ a: BASE.replace('old.pem', 'new.pem') }));
  t.equal(next.services[0]?.versions[0]?.upstream.tls?.ca, 'NEW');
});

t.test('a service that is new begins at 0, one that is gone is gone', async (t) => {
  const first = carryStages(null, splitOf({ a: BASE }));
  const next = carryStages(first, splitOf({ b: OTHER }));
  t.strictSame(stages(next), { b: 0 });
});

t.test('the split before stays as it was, also when it came over a structured clone', async (t) => {
  const first = carryStages(null, splitOf({ a: BASE }));
  const copy = structuredClone(first);
  t.strictSame(stages(carryStages(copy, splitOf({ a: BASE }))), { a: 0 });
  carryStages(first, splitOf({ a: BASE.replace('weight: 5', 'weight: 6') }));
  t.strictSame(first, copy);
});
