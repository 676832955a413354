import t from 'tap';
import { count, json, table } from '../../src/cli/format.ts';

t.test('columns are aligned and lines end where their text does', async (t) => {
  const rows = [
    ['NAME', 'WEIGHT', 'ROLE'],
    ['a-long-name', '5 %', 'canary'],
    ['b', '', ''],
  ];
  t.equal(table(rows), 'NAME         WEIGHT  ROLE\na-long-name  5 %     canary\nb\n');
  t.equal(table([]), '');
});

t.test('counts', async (t) => {
  t.strictSame(
    [count(0, 'service'), count(1, 'service'), count(2, 'service')],
    ['0 services', '1 service', '2 services'],
  );
});

t.test('json ends with a newline', async (t) => {
  t.equal(json({ a: 1 }), '{\n  "a": 1\n}\n');
});
