import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import t from 'tap';
import { ROLLOUT_VERBS } from '../../src/admin/contract.ts';
import { openApiDocument, templateOf } from '../../src/admin/openapi/document.ts';
import { UNDESCRIBED } from '../../src/admin/openapi/paths.ts';
import { startAdmin } from '../../src/admin/server.ts';
import { Streams } from '../../src/admin/streams.ts';
import { memoryLog } from '../control/support.ts';
import { Description } from './openapi.ts';
import { fakeControl, startTestAdmin } from './support.ts';

/**
 * The description of the admin API as such. `COALMINE_WRITE_GENERATED=1 npx tap
 * test/admin/openapi.test.ts` writes the committed file anew.
 */
const FILE = path.resolve(import.meta.dirname, '../../config/openapi.json');

t.test('config/openapi.json is what the code makes of it, and what is served', async (t) => {
  const text = `${JSON.stringify(openApiDocument(), null, 2)}\n`;
  if (process.env.COALMINE_WRITE_GENERATED === '1') writeFileSync(FILE, text);
  t.equal(readFileSync(FILE, 'utf8'), text);
  const { ask } = await startTestAdmin(t);
  const answer = await ask('/api/v1/openapi.json');
  t.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
  t.strictSame(answer.json(), JSON.parse(text));
  t.strictSame((await ask('/api/v1/openapi.json')).text, answer.text, 'the same again');
});

t.test('it is OpenAPI 3.1, as its meta-schema says', async (t) => {
  const validator = new Validator();
  const result = await validator.validate(
    JSON.parse(JSON.stringify(openApiDocument())) as Record<string, unknown>,
  );
  t.strictSame(result.errors ?? [], []);
  t.equal(result.valid, true);
  t.equal(validator.version, '3.1');
});

t.test('every reference leads somewhere, and everything named is used', async (t) => {
  const document = openApiDocument();
  const text = JSON.stringify(document);
  const used = new Set(
    [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name as string),
  );
  const { schemas } = (document as { components: { schemas: object } }).components;
  const named = Object.keys(schemas);
  t.strictSame(
    [...used].filter((name) => !named.includes(name)),
    [],
  );
  // Said once, for all that is not 2xx; each refusal says its own codes.
  t.strictSame(
    named.filter((name) => !used.has(name)),
    ['Error'],
  );
});

t.test('every call has a name of its own', async (t) => {
  const { operations } = new Description();
  const ids = operations.map(({ id }) => id);
  t.strictSame(ids, [...new Set(ids)]);
  t.ok(ids.every((id) => /^[a-z][A-Za-z]+$/.test(id)));
});

t.test('every route is described, and nothing else', async (t) => {
  const routes = new Set<string>();
  const log = memoryLog();
  const admin = await startAdmin(
    { host: '127.0.0.1', port: 0, token: null, allowedHosts: [] },
    {
      control: fakeControl(),
      metrics: { contentType: () => 'text/plain', render: async () => '' },
      page: new Map(),
      streams: new Streams(log),
      log,
      // HEAD comes with every GET (RFC 9110 section 9.3.2).
      onRoute: (method, url) => void (method === 'HEAD' || routes.add(`${method} ${url}`)),
    },
  );
  t.teardown(() => admin.close());
  const described = new Description().operations.map((one) => `${one.method} ${one.path}`);
  for (const path of UNDESCRIBED)
    t.ok(routes.delete(`GET ${path}`), `${path} is there, and no part of the API`);
  const there = [...routes].map(templateOf);
  t.ok(there.length > 20, `${there.length} routes`);
  t.strictSame(there.toSorted(), described.toSorted());
});

t.test('what a body may hold is what is taken', async (t) => {
  const description = new Description();
  const fits = (id: string, body: unknown) => description.bodyFault(id, body) === null;
  t.equal(fits('setWeight', { weight: 5 }), true);
  t.equal(fits('setWeight', { weight: 5, version: 'v2', actor: 'me' }), true);
  t.equal(fits('setWeight', { weight: 101 }), false);
  t.equal(fits('setWeight', {}), false);
  t.equal(fits('setWeight', { weight: 5, wieght: 6 }), false);
  t.equal(fits('sendFeedback', { id: 'x', kpi: 'click', value: 1 }), true);
  t.equal(fits('sendFeedback', [{ service: 'a', key: 'u', kpi: 'click', value: 1 }]), true);
  t.equal(fits('sendFeedback', { kpi: 'click', value: 1 }), false);
  for (const verb of ROLLOUT_VERBS) t.equal(fits(`${verb}Rollout`, { actor: 'me' }), true);
});
