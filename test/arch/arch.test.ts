import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  checkCycles,
  checkImports,
  checkPure,
  checkSizes,
  checkUsed,
  type ImportTable,
  MAX_LINES,
} from './rules.ts';
import { blank, readSources, SRC, sourceFile } from './scan.ts';
import { BUNDLED, ENTRIES, TABLE } from './table.ts';

const sources = readSources();

t.test('the sources keep to the house', async (t) => {
  t.ok(sources.length > 20, 'the sources are found');
  t.strictSame(checkImports(sources, TABLE), [], 'imports are those of the table');
  t.strictSame(checkCycles(sources, false), [], 'no import cycles');
  // In the gateway one context, Exchange, names the parts that it is handed to, and they name it.
  const elsewhere = sources.filter(({ path }) => !path.startsWith('gateway/'));
  t.strictSame(checkCycles(elsewhere, true), [], 'outside the gateway not even of types');
  t.strictSame(checkPure(sources, 'core/'), [], 'core is pure');
  t.strictSame(checkSizes(sources, MAX_LINES), [], `no file is longer than ${MAX_LINES} lines`);
  t.strictSame(checkUsed(sources, ENTRIES), [], 'every file is used');
});

t.test('what is imported at run time is installed at run time', async (t) => {
  const { dependencies } = JSON.parse(readFileSync(join(SRC, '../package.json'), 'utf8'));
  const imported = new Set(
    sources
      .filter(({ path }) => !BUNDLED.some((folder) => path.startsWith(folder)))
      .flatMap(({ imports }) =>
        imports.filter(({ kind, typeOnly }) => kind === 'npm' && !typeOnly).map(({ target }) => target),
      ),
  );
  t.strictSame(
    [...imported].filter((name) => !Object.hasOwn(dependencies, name)),
    [],
    'every package is a dependency, not only one of development',
  );
});

t.test('the page takes nothing but types from the process', async (t) => {
  const taken = sources
    .filter(({ path }) => path.startsWith('dashboard/'))
    .flatMap(({ path, imports }) =>
      imports
        .filter(
          ({ kind, target, typeOnly }) => kind === 'file' && !typeOnly && !target.startsWith('dashboard/'),
        )
        .map(({ target }) => `${path} imports ${target}`),
    );
  t.strictSame(taken, []);
});

t.test('gateway and control know nothing of each other', async (t) => {
  const crossing = sources.flatMap(({ path, imports }) =>
    imports
      .filter(({ target }) => /^(gateway|control)\//.test(target) && /^(gateway|control)\//.test(path))
      .filter(({ target }) => target.split('/')[0] !== path.split('/')[0])
      .map(({ target }) => `${path} imports ${target}`),
  );
  t.strictSame(crossing, []);
});

const table: ImportTable = {
  'core/': { files: [], npm: [], node: [] },
  'shell/': { files: ['core/', 'ports.ts'], npm: ['yaml'], node: [] },
  'shell/load.ts': { files: ['core/'], npm: [], node: ['node:fs'] },
  'ports.ts': { files: ['core/'], npm: [], node: [] },
};

t.test('the check of imports can fail', async (t) => {
  const check = (path: string, text: string) =>
    checkImports(
      [sourceFile(path, text), sourceFile('core/a.ts', ''), sourceFile('shell/b.ts', '')],
      table,
    )[0];

  t.match(
    check('core/x.ts', "import type { B } from '../shell/b.ts';"),
    /core\/ may not import shell\/b\.ts/,
  );
  t.match(check('core/x.ts', "import fs from 'node:fs';"), /may not import node:fs/);
  t.match(check('shell/x.ts', "import fs from 'node:fs';"), /may not import node:fs; it may import .*yaml/);
  t.match(check('shell/x.ts', "export * from '@scope/name/deep';"), /may not import @scope\/name;/);
  t.match(check('core/x.ts', "const b = await import('../shell/b.ts');"), /may not import/);
  t.match(check('core/x.ts', "import './gone.ts';"), /which is not there/);
  t.match(check('core/x.ts', "import {\n  a,\n  b,\n} from '../shell/b.ts';"), /may not import/);
  t.match(check('other/x.ts', ''), /belongs to no part/);

  t.equal(check('shell/load.ts', "import fs from 'node:fs'; import { b } from './b.ts';"), undefined);
  t.equal(check('shell/x.ts', "import { parse } from 'yaml'; import { a } from '../core/a.ts';"), undefined);
  t.equal(check('core/x.ts', "// import fs from 'node:fs';\n/* import './gone.ts'; */"), undefined);
});

t.test('the check of cycles can fail', async (t) => {
  const ring = [
    sourceFile('a.ts', "import './b.ts';"),
    sourceFile('b.ts', "import type { C } from './c.ts';"),
    sourceFile('c.ts', "import './b.ts';"),
  ];
  t.strictSame(checkCycles(ring, true), ['import cycle: b.ts -> c.ts -> b.ts']);
  t.strictSame(checkCycles(ring, false), [], 'one link of it is of types');
  t.strictSame(checkCycles(ring.slice(0, 2), true), []);
  const plain = [
    sourceFile('a.ts', "import { b } from './b.ts';"),
    sourceFile('b.ts', "export * from './a.ts';"),
  ];
  t.strictSame(checkCycles(plain, false), ['import cycle: a.ts -> b.ts -> a.ts']);
});

t.test('the check of purity can fail, and only for code', async (t) => {
  const found = (text: string) => checkPure([sourceFile('core/x.ts', text)], 'core/').length;
  for (const text of [
    'const now = Date.now();',
    'new Date()',
    'Math.random()',
    'if (process.env.X) {}',
    'setTimeout(f, 1)',
    'performance.now()',
    'import.meta.url',
  ]) {
    t.equal(found(text), 1, text);
  }
  for (const text of [
    '// Date.now()',
    "const s = 'Math.random()';",
    'facts.process',
    'a / b; // process',
    'const r = /Date/;',
  ]) {
    t.equal(found(text), 0, text);
  }
  t.match(checkPure([sourceFile('core/x.ts', '\n\nDate.now()')], 'core/')[0], /^core\/x\.ts:3: Date /);
});

t.test('the checks of size and use can fail', async (t) => {
  t.match(checkSizes([sourceFile('a.ts', 'x\n'.repeat(401))], 400)[0], /401 lines/);
  t.strictSame(checkSizes([sourceFile('a.ts', 'x\n'.repeat(400))], 400), []);
  const files = [sourceFile('main.ts', "import './a.ts';"), sourceFile('a.ts', ''), sourceFile('b.ts', '')];
  t.strictSame(checkUsed(files, ['main.ts']), ['b.ts: nothing in src imports it']);
});

t.test('comments and strings are told from code', async (t) => {
  t.equal(blank("a('//b') // c", false).trimEnd(), "a('//b')");
  t.equal(blank('x = /[/]"/; y', true).replace(/ +/g, ' '), 'x = ; y');
  t.equal(blank('`a $' + '{b(`c`)} d` + e', true).trim(), '+ e');
  t.equal(blank('a /* b\nc */ d', false), 'a     \n     d');
});
