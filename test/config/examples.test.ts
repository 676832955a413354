import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import t from 'tap';
import { parse } from 'yaml';
import { carryStages } from '../../src/config/diff.ts';
import { formatIssue } from '../../src/config/issue.ts';
import { compilePattern } from '../../src/config/pattern.ts';
import { configSchema } from '../../src/config/schema.ts';
import { makeChooser } from '../../src/core/split/choose.ts';
import { buildRoutes } from '../../src/core/split/route.ts';
import { inspect } from './support.ts';

/** The files in config/ are what users begin with: each must be sound as it lies there. */

const folder = path.resolve(import.meta.dirname, '../../config');
const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');

/** What an example needs from outside. */
const OPTIONS = {
  env: {
    COALMINE_ADMIN_TOKEN: 'not-a-real-token',
    COOKIE_SECRET: 'not-a-real-secret',
    KPI_SECRET: 'not-a-real-secret either',
  },
  files: Object.fromEntries(
    ['ca.crt', 'tls.crt', 'tls.key'].map((name) => [`/etc/coalmine/tls/${name}`, 'PEM']),
  ),
};

t.test('there are examples', async (t) => {
  for (const name of [
    'minimal',
    'sticky-rules',
    'mirror',
    'regions',
    'several-canaries',
    'endpoints',
    'gateway-tls',
    'rollout',
    'rollout-prometheus',
    'gates',
  ]) {
    t.ok(names.includes(`${name}.yaml`), name);
  }
});

for (const name of names) {
  t.test(name, async (t) => {
    const text = read(name);
    const { config, issues, warnings } = inspect(text, OPTIONS);
    t.strictSame([...issues, ...warnings].map(formatIssue), []);
    if (config === null) return;
    const split = carryStages(null, config.split);
    t.doesNotThrow(() => {
      buildRoutes(split.services.map((value) => ({ match: value.match, value })));
      for (const service of split.services) makeChooser(service, compilePattern);
    }, 'the data path takes it');
    t.match(
      text,
      /^# yaml-language-server: \$schema=\.\/coalmine\.schema\.json\n/,
      'editors find the schema',
    );
  });

  t.test(`${name} in an editor`, async (t) => {
    const validate = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true }).compile(
      configSchema(),
    );
    validate(parse(read(name)));
    // An editor does not know the environment: what takes its value from there may look wrong to it.
    const wrong = (validate.errors ?? []).filter(
      ({ instancePath }) => !isFromEnv(parse(read(name)), instancePath),
    );
    t.strictSame(wrong, []);
  });
}

function isFromEnv(value: unknown, pointer: string): boolean {
  const at = pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((held, key) => (held as Record<string, unknown>)[key.replaceAll('~1', '/')], value);
  return typeof at === 'string' && at.includes('$' + '{');
}

t.test('the example with files names them, and fails without them', async (t) => {
  const { issues } = inspect(read('gateway-tls.yaml'), { env: OPTIONS.env });
  t.strictSame(
    issues.map((issue) => issue.path),
    [
      'tls.cert',
      'tls.key',
      'services.iris-api.upstream.tls.ca',
      'services.iris-api.upstream.tls.cert',
      'services.iris-api.upstream.tls.key',
    ],
  );
});
