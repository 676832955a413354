import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { drawAll } from '../../bench/judge/pictures/draw.ts';
import { mediansIn } from '../../bench/judge/pictures/exposed.ts';

/** The charts of docs/statistics.md are those that the judge and the tables of today give: `npm run pictures`. */

const DOCS = path.resolve(import.meta.dirname, '../../docs');
const page = readFileSync(path.join(DOCS, 'statistics.md'), 'utf8');

t.test('the committed charts are those that are drawn', async (t) => {
  for (const [name, svg] of drawAll(page)) {
    t.ok(
      readFileSync(path.join(DOCS, 'pictures', name), 'utf8') === svg,
      `${name}; if not: npm run pictures`,
    );
    t.match(page, `](pictures/${name})`, `${name} is shown`);
    t.match(svg, /<title id="title">.+<\/title>\n<desc id="desc">.{40,}<\/desc>/, `${name} is told in words`);
    t.notMatch(svg, /NaN|Infinity|undefined/, name);
  }
});

t.test('medians come from the row that is named', async (t) => {
  const table =
    '\n`some`, 2 runs a cell.\n\n| cell | coalmine | argo 1m |\n| --- | --- | --- |\n| 5 % | 1,072 / 2 | – |\n';
  t.strictSame(mediansIn(table, 'some', '5 %').get('coalmine'), 1072);
  t.equal(mediansIn(table, 'some', '5 %').get('argo 1m'), null);
  t.throws(() => mediansIn(table, 'other', '5 %'), /no table of other/);
  t.throws(() => mediansIn(table, 'some', '9 %'), /no row 9 %/);
});
