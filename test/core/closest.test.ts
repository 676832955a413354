import fc from 'fast-check';
import t from 'tap';
import { closest } from '../../src/core/closest.ts';

t.test('the word that was meant', async (t) => {
  const words = [
    'listen',
    'limits',
    'log',
    'services',
    'trustProxy',
    'tls',
    'stable',
    'canary',
    'canaries',
    'v1',
    'v2',
  ];
  const cases: [string, string | null][] = [
    ['lisen', 'listen'],
    ['listne', 'listen'],
    ['limit', 'limits'],
    ['trust_proxy', 'trustProxy'],
    ['trustproxy', 'trustProxy'],
    ['SERVICES', 'services'],
    ['canarie', 'canaries'],
    ['canry', 'canary'],
    ['lgo', 'log'],
    ['v3', null],
    ['x', null],
    ['plugins', null],
    ['', null],
    ['l'.repeat(100), null],
  ];
  for (const [word, expected] of cases) t.equal(closest(word, words), expected, word);
});

t.test('a word is closest to itself, and one slip away from a long one is found', async (t) => {
  const word = fc.stringMatching(/^[a-z]{4,12}$/);
  fc.assert(
    fc.property(word, fc.nat(), fc.constantFrom('q', ''), (candidate, at, letter) => {
      t.equal(closest(candidate, ['unrelated-and-long', candidate]), candidate);
      const i = at % candidate.length;
      t.equal(closest(candidate.slice(0, i) + letter + candidate.slice(i + 1), [candidate]), candidate);
    }),
    { numRuns: 200 },
  );
});
