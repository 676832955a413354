import fc from 'fast-check';
import t from 'tap';
import type { Condition, Rule, TextMatch } from '../../src/core/model.ts';
import { compileCondition, compileRules, firstRule } from '../../src/core/split/rules.ts';
import { compileWithRegExp, type FakeRequest, factsOf } from './facts.ts';

const present: TextMatch = { kind: 'present' };
const oneOf = (...values: string[]): TextMatch => ({ kind: 'oneOf', values });
const prefix = (value: string): TextMatch => ({ kind: 'prefix', value });
const pattern = (source: string): TextMatch => ({ kind: 'pattern', source });

type Case = readonly [name: string, condition: Condition, holds: FakeRequest[], fails: FakeRequest[]];

const header = (match: TextMatch): Condition => ({ kind: 'header', name: 'x-user-group', match });
const group = (value: string): FakeRequest => ({ headers: { 'x-user-group': value } });

const CASES: readonly Case[] = [
  [
    'header present',
    header(present),
    [group('staff'), group('')],
    [{}, { cookies: { 'x-user-group': 'a' } }],
  ],
  [
    'header one of',
    header(oneOf('staff', 'qa')),
    [group('staff'), group('qa')],
    [group('Staff'), group('staff,qa'), group('staf'), group(''), {}],
  ],
  ['header one of nothing', header(oneOf()), [], [group('staff'), group(''), {}]],
  ['header prefix', header(prefix('st')), [group('st'), group('staff')], [group('a-staff'), group('s'), {}]],
  ['header with an empty prefix', header(prefix('')), [group(''), group('x')], [{}]],
  [
    'header pattern, searched anywhere',
    header(pattern('q[ab]')),
    [group('qa'), group('x-qb-y')],
    [group('q'), {}],
  ],
  ['header pattern, anchored', header(pattern('^qa$')), [group('qa')], [group('x-qa'), group('qa2'), {}]],
  [
    'a header named like a property of every object',
    { kind: 'header', name: 'constructor', match: present },
    [{ headers: { constructor: 'x' } }],
    [{}, { headers: { 'x-user-group': 'x' } }],
  ],
  [
    'cookie one of',
    { kind: 'cookie', name: 'beta', match: oneOf('1') },
    [{ cookies: { beta: '1' } }],
    [{ cookies: { beta: '0' } }, { cookies: { Beta: '1' } }, { headers: { beta: '1' } }, {}],
  ],
  [
    'cookie prefix',
    { kind: 'cookie', name: 'beta', match: prefix('v2') },
    [{ cookies: { beta: 'v2.1' } }],
    [{ cookies: { beta: 'v1' } }],
  ],
  [
    'cookie pattern',
    { kind: 'cookie', name: 'beta', match: pattern('^v[23]$') },
    [{ cookies: { beta: 'v3' } }],
    [{ cookies: { beta: 'v4' } }],
  ],
  [
    'cookie present',
    { kind: 'cookie', name: 'beta', match: present },
    [{ cookies: { beta: '' } }],
    [{ cookies: { other: '1' } }],
  ],
  [
    'query present',
    { kind: 'query', name: 'preview', match: present },
    [{ query: { preview: '' } }, { query: { preview: '1' } }],
    [{ query: { previews: '1' } }, {}],
  ],
  [
    'query one of',
    { kind: 'query', name: 'v', match: oneOf('2') },
    [{ query: { v: '2' } }],
    [{ query: { v: '22' } }],
  ],
  [
    'query prefix',
    { kind: 'query', name: 'v', match: prefix('2.') },
    [{ query: { v: '2.4' } }],
    [{ query: { v: '2' } }],
  ],
  [
    'query pattern',
    { kind: 'query', name: 'v', match: pattern('\\d{2}') },
    [{ query: { v: 'x12' } }],
    [{ query: { v: '1' } }],
  ],
  ['path present', { kind: 'path', match: present }, [{ path: '/' }], []],
  [
    'path one of',
    { kind: 'path', match: oneOf('/predict') },
    [{ path: '/predict' }],
    [{ path: '/predict/' }],
  ],
  [
    'path prefix, of text and not of segments',
    { kind: 'path', match: prefix('/v2') },
    [{ path: '/v2/predict' }, { path: '/v20' }],
    [{ path: '/api/v2' }],
  ],
  [
    'path pattern',
    { kind: 'path', match: pattern('/batch$') },
    [{ path: '/a/batch' }],
    [{ path: '/batch/a' }],
  ],
  [
    'method',
    { kind: 'method', oneOf: ['GET', 'HEAD'] },
    [{ method: 'GET' }, { method: 'HEAD' }],
    [{ method: 'POST' }, { method: 'get' }, { method: 'constructor' }],
  ],
  [
    'region',
    { kind: 'region', oneOf: ['eu-west', 'eu-north'] },
    [{ region: 'eu-west' }],
    [{ region: 'us-east' }, { region: 'eu' }, {}],
  ],
  [
    'all',
    { kind: 'all', of: [header(present), { kind: 'method', oneOf: ['POST'] }] },
    [{ ...group('a'), method: 'POST' }],
    [group('a'), { method: 'POST' }, {}],
  ],
  [
    'any',
    { kind: 'any', of: [header(present), { kind: 'method', oneOf: ['POST'] }] },
    [{ ...group('a'), method: 'POST' }, group('a'), { method: 'POST' }],
    [{}],
  ],
  ['all of nothing', { kind: 'all', of: [] }, [{}], []],
  ['any of nothing', { kind: 'any', of: [] }, [], [{}]],
  [
    'nested',
    {
      kind: 'any',
      of: [
        { kind: 'all', of: [header(oneOf('qa')), { kind: 'region', oneOf: ['eu'] }] },
        { kind: 'query', name: 'force', match: present },
      ],
    },
    [{ ...group('qa'), region: 'eu' }, { query: { force: '' } }],
    [group('qa'), { region: 'eu' }, {}],
  ],
];

for (const [name, condition, holds, fails] of CASES) {
  t.test(`condition: ${name}`, async (t) => {
    const predicate = compileCondition(condition, compileWithRegExp);
    for (const request of holds) t.equal(predicate(factsOf(request)), true, JSON.stringify(request));
    for (const request of fails) t.equal(predicate(factsOf(request)), false, JSON.stringify(request));
  });
}

t.test('every kind of condition and of text match is in the table', async (t) => {
  const seen = new Set<string>();
  const visit = (condition: Condition): void => {
    seen.add('match' in condition ? `${condition.kind} ${condition.match.kind}` : condition.kind);
    if ('of' in condition) condition.of.forEach(visit);
  };
  for (const [, condition] of CASES) visit(condition);
  for (const kind of ['header', 'cookie', 'query', 'path']) {
    for (const match of ['present', 'oneOf', 'prefix', 'pattern']) t.ok(seen.has(`${kind} ${match}`));
  }
  for (const kind of ['method', 'region', 'all', 'any']) t.ok(seen.has(kind));
});

t.test('a pattern is compiled once, and its error is not swallowed', async (t) => {
  let compiled = 0;
  const then: Rule['then'] = { kind: 'use', version: 0 };
  const [rule] = compileRules([{ id: 'rules[0]', when: header(pattern('a')), then }], (source) => {
    compiled++;
    return compileWithRegExp(source);
  }).rules;
  for (let i = 0; i < 3; i++) rule?.holds(factsOf(group('a')));
  t.equal(compiled, 1);
  t.throws(() => compileCondition(header(pattern('(')), compileWithRegExp), SyntaxError);
});

t.test('the index finds the rule that a scan in order finds', async (t) => {
  const name = fc.constantFrom('a', 'b', 'constructor');
  const value = fc.constantFrom('x', 'y', 'z', '__proto__');
  const match: fc.Arbitrary<TextMatch> = fc.oneof(
    fc.record({
      kind: fc.constant('oneOf' as const),
      values: fc.array(value, { minLength: 1, maxLength: 3 }),
    }),
    fc.constant({ kind: 'present' as const }),
    fc.record({ kind: fc.constant('prefix' as const), value }),
  );
  const field = fc.record({
    kind: fc.constantFrom('header' as const, 'cookie' as const, 'query' as const),
    name,
    match,
  });
  const nested = fc.record({
    kind: fc.constantFrom('all' as const, 'any' as const),
    of: fc.array(field, { minLength: 1, maxLength: 3 }),
  });
  const conditions = fc.array(fc.oneof(field, nested), { maxLength: 12 });
  const values = fc.dictionary(name, value);
  fc.assert(
    fc.property(conditions, values, values, values, (whens, headers, cookies, query) => {
      const then: Rule['then'] = { kind: 'use', version: 0 };
      const rules = whens.map((when, i): Rule => ({ id: `rules[${i}]`, when, then }));
      const facts = factsOf({ headers, cookies, query });
      const scanned = rules.findIndex(({ when }) => compileCondition(when, compileWithRegExp)(facts));
      return firstRule(compileRules(rules, compileWithRegExp), facts) === scanned;
    }),
  );
  t.pass('for every list of rules and every request');
});
