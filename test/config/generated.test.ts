import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import t from 'tap';
import { DEFAULTS } from '../../src/config/defaults.ts';
import { configReference } from '../../src/config/reference.ts';
import { REFERENCE_EXAMPLE } from '../../src/config/reference-intro.ts';
import { configSchema, rootSchema } from '../../src/config/schema.ts';
import { compiled, inspect } from './support.ts';

/**
 * What is made from the schema and committed. `COALMINE_WRITE_GENERATED=1 npx tap
 * test/config/generated.test.ts` writes the files anew.
 */
const root = path.resolve(import.meta.dirname, '../..');
const generated: readonly [file: string, text: string][] = [
  ['config/coalmine.schema.json', `${JSON.stringify(configSchema(), null, 2)}\n`],
  ['docs/config-reference.md', configReference()],
];

for (const [file, text] of generated) {
  t.test(`${file} is what the schema makes of it`, async (t) => {
    const at = path.join(root, file);
    if (process.env.COALMINE_WRITE_GENERATED === '1') writeFileSync(at, text);
    t.equal(readFileSync(at, 'utf8'), text);
  });
}

type Node = Readonly<Record<string, unknown>>;

/** Every schema of a key, with its path. */
function keysOf(node: unknown, at = ''): [path: string, schema: Node][] {
  if (typeof node !== 'object' || node === null) return [];
  const { properties, additionalProperties, items, anyOf } = node as Node;
  const own = Object.entries((properties ?? {}) as Record<string, Node>).flatMap(([key, schema]) => {
    const here = at === '' ? key : `${at}.${key}`;
    return [[here, schema] as [string, Node], ...keysOf(schema, here)];
  });
  const inner = [additionalProperties, items, ...((anyOf ?? []) as unknown[])].flatMap((one) =>
    keysOf(one, `${at}.*`),
  );
  return [...own, ...inner];
}

t.test('every key says what it does', async (t) => {
  const keys = keysOf(rootSchema);
  t.ok(keys.length > 100, `${keys.length} keys`);
  // The comparisons of a value are explained where the value is.
  const plain = keys.filter(([at]) => !/\.(prefix|pattern|present)$/.test(at));
  for (const [at, { description }] of plain) {
    if (typeof description !== 'string' || !/[.)`]$/.test(description)) t.fail(`${at}: ${description}`);
  }
  t.pass();
});

t.test('every default that is shown can be written, and gives what leaving it out gives', async (t) => {
  const { services } = compiled(
    'services: { a: { versions: { v1: { url: http://a }, v2: { url: http://b } }, stable: v1, canary: v2, sticky: { by: [ip], mode: session, issueCookie: {} }, mirror: { to: v2 } } }\n',
  ).split;
  const {
    upstream,
    sticky,
    issueCookie,
    mirror,
    weight,
    failover,
    maxBody,
    exposeVersion,
    limits,
    drain,
    log,
  } = DEFAULTS;
  const { healthCheck, ...rest } = upstream;
  const spelled = {
    listen: DEFAULTS.listen,
    admin: { listen: DEFAULTS.adminListen },
    limits,
    drain,
    log,
    services: {
      a: {
        match: { path: DEFAULTS.matchPath },
        upstream: { ...rest, healthCheck: 'off' },
        versions: { v1: { url: 'http://a' }, v2: { url: 'http://b' } },
        stable: 'v1',
        canary: 'v2',
        weight,
        sticky: {
          by: ['ip'],
          mode: 'session',
          session: { ttl: sticky.sessionTtl, max: sticky.sessionMax },
          issueCookie,
        },
        mirror: { to: 'v2', ...mirror },
        failover,
        maxBody,
        exposeVersion,
      },
    },
  };
  t.strictSame(compiled(JSON.stringify(spelled)).split.services, services);
  const check = (keys: unknown) =>
    compiled(
      JSON.stringify({ services: { a: { versions: { v1: { url: 'http://a', healthCheck: keys } } } } }),
    );
  t.strictSame(check(healthCheck), check({}));
});

t.test('so do those of a rollout and of a metric', async (t) => {
  const { rollout, metric } = DEFAULTS;
  const { webhook, notification, startingStep, rollbackWindow, ...settings } = rollout;
  const { provider, retention: _retention, ...limits } = metric;
  const planOf = (keys: object, template: object) =>
    compiled(
      JSON.stringify({
        services: {
          a: {
            versions: { v1: { url: 'http://a' }, v2: { url: 'http://b' } },
            stable: 'v1',
            canary: 'v2',
            rollout: { steps: [{ setWeight: 5 }], ...keys },
          },
        },
        analysisTemplates: { t: template },
      }),
    ).rollouts;
  const providers = (keys: (name: keyof typeof provider) => object) => [
    { prometheus: { address: 'http://p', query: 'up', ...keys('prometheus') } },
    { web: { url: 'http://w', ...keys('web') } },
    { coalmine: { measure: 'latency', ...keys('coalmine') } },
  ];
  const metrics = (keys: object, inner: (name: keyof typeof provider) => object) =>
    providers(inner).map((one, i) => ({ name: `m${i}`, provider: one, ...keys }));
  const plain = planOf(
    {
      analysis: { templates: ['t'] },
      webhooks: [{ name: 'x', url: 'http://h' }],
      notifications: [{ url: 'http://n' }],
    },
    { metrics: metrics({}, () => ({})) },
  );
  const spelled = planOf(
    {
      ...settings,
      analysis: { templates: ['t'], startingStep, args: [], dryRun: [], measurementRetention: [] },
      rollbackWindow: { revisions: rollbackWindow },
      webhooks: [{ name: 'x', url: 'http://h', ...webhook }],
      notifications: [{ url: 'http://n', ...notification }],
      requires: [],
    },
    { args: [], templates: [], metrics: metrics(limits, (name) => provider[name]) },
  );
  t.strictSame(spelled, plain);
});

t.test('so do those of what is judged', async (t) => {
  const { shadow, gates, experiment, kpi, evidencePause } = DEFAULTS;
  const { tokenRange: _tokenRange, ...predictions } = DEFAULTS.predictions;
  const { successRate, latency, ...settings } = gates;
  const configOf = (spelled: boolean) => {
    const own = (keys: object) => (spelled ? keys : {});
    const service = (keys: object) => ({
      versions: { v1: { url: 'http://a' }, v2: { url: 'http://b' } },
      stable: 'v1',
      canary: 'v2',
      weight: 50,
      mirror: { to: 'v2' },
      predictions: { score: '/s', ...own({ ...predictions, labels: undefined }) },
      shadow: { compare: 'score', ...own({ ...shadow, ignore: undefined, redact: undefined }) },
      gates: {
        successRate: { atLeast: 0.9, ...own(successRate) },
        latency: { p99: '1s', ...own(latency) },
        ...own(settings),
      },
      ...keys,
    });
    const pause = { until: 'evidence', atMost: '1h', ...own(evidencePause) };
    return compiled(
      JSON.stringify({
        kpi: { secret: '0123456789abcdef', ...own(kpi) },
        services: {
          a: { ...service({ rollout: { steps: [{ pause }] } }), weight: undefined },
          b: service({
            match: { path: '/b' },
            experiment: { kpi: 'click', ...own({ ...experiment, variants: ['v1', 'v2'] }) },
          }),
        },
      }),
    );
  };
  t.strictSame(configOf(true), configOf(false));
});

t.test('the published schema is plain JSON Schema and agrees with the validation', async (t) => {
  const text = JSON.stringify(configSchema());
  t.notMatch(text, /"x-/);
  const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(JSON.parse(text));
  const sound = { services: { a: { versions: { v1: { url: 'http://a' } }, maxBody: 'unlimited' } } };
  const two = { versions: { v1: { url: 'http://a' }, v2: { url: 'http://b' } }, stable: 'v1', canary: 'v2' };
  const cases: [config: unknown, valid: boolean][] = [
    [sound, true],
    [{ ...sound, drain: { delay: '1.5s' } }, true],
    [{ ...sound, drain: { delay: '5' } }, false],
    [{ ...sound, drain: { delay: 5 } }, false],
    [{ ...sound, limits: { maxHeaderBytes: '16K' } }, false],
    [{ ...sound, rollout: {} }, false],
    [{ services: { a: { ...two, rollout: { steps: [{ pause: { duration: 5 } }] } } } }, true],
    [{ services: { a: { ...two, rollout: { steps: [{ pause: { duration: '1h30m' } }] } } } }, true],
    [{ services: { a: { ...two, rollout: { steps: [{ pause: { duration: 'x' } }] } } } }, false],
    [{ services: { a: { ...two, rollout: { steps: [{ pause: {}, setWeight: 5 }] } } } }, false],
    [{ services: { a: { ...two, gates: { successRate: { atLeast: 0.99 } } } } }, true],
    [{ services: { a: { ...two, gates: { successRate: { atLeast: 99 } } } } }, false],
    [{ services: { a: { ...two, gates: { sucessRate: { atLeast: 0.99 } } } } }, false],
    [{ services: { a: { ...two, gates: { ctr: { kpi: 'click', within: '5%' } } } } }, true],
    [{ services: { a: { ...two, gates: { ctr: { kpi: 'click', within: 5 } } } } }, false],
    [{ services: { a: { ...two, predictions: { class: '/c', scoreRange: [0] } } } }, false],
    [{ services: {} }, false],
    [{ services: { a: { ...sound.services.a, weight: 101 } } }, false],
    [{ services: { a: { ...sound.services.a, failover: 'x' } } }, false],
  ];
  for (const [config, valid] of cases) {
    t.equal(validate(config), valid, JSON.stringify(config));
    t.equal(inspect(JSON.stringify(config)).config !== null, valid, 'as the gateway sees it');
  }
});

t.test('the example of the reference is sound', async (t) => {
  const { issues, warnings } = inspect(REFERENCE_EXAMPLE);
  t.strictSame([issues, warnings], [[], []]);
  t.ok(configReference().includes(REFERENCE_EXAMPLE));
});

t.test('the reference has a row for every key and no section twice', async (t) => {
  const reference = configReference();
  for (const [at] of keysOf(rootSchema)) {
    const key = at.split('.').at(-1) as string;
    if (/^(prefix|pattern|present)$/.test(key)) continue;
    t.ok(reference.includes(`| \`${key}\` |`), at);
  }
  const titles = reference.match(/^## .*$/gm) ?? [];
  t.strictSame(titles, [...new Set(titles)]);
});
