import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { drawAll } from './draw.ts';

/** `npm run pictures`: the charts of docs/statistics.md, into docs/pictures. */

const DOCS = path.resolve(import.meta.dirname, '../../../docs');
const page = readFileSync(path.join(DOCS, 'statistics.md'), 'utf8');
for (const [name, svg] of drawAll(page)) {
  writeFileSync(path.join(DOCS, 'pictures', name), svg);
  process.stdout.write(`docs/pictures/${name}\n`);
}
