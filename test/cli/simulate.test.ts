import t, { type Test } from 'tap';
import { writeConfig } from '../app/support.ts';
import { cli } from './support.ts';

/** The textbook's rollout; `query` and `more` vary it. */
function textbook(
  options: { readonly query?: string; readonly steps?: string; readonly more?: string } = {},
) {
  const {
    query = 'sum(rate(http_requests_total{app="{{args.service-name}}",status!~"5.."}[2m])) / sum(rate(http_requests_total{app="{{args.service-name}}"}[2m]))',
    steps = '[{ setWeight: 5 }, { pause: { duration: 5m } }, { setWeight: 25 }, { pause: { duration: 10m } }, { setWeight: 50 }, { pause: { duration: 15m } }, { setWeight: 100 }]',
    more = '',
  } = options;
  return `
services:
  iris-api:
    versions: { v1: { url: "http://127.0.0.1:1" }, v2: { url: "http://127.0.0.1:2" } }
    stable: v1
    canary: v2
    rollout:
      steps: ${steps}
      analysis:
        templates: [{ templateName: success-rate }]
        startingStep: 1
        args: [{ name: service-name, value: iris-api }]
${more}
analysisTemplates:
  success-rate:
    args: [{ name: service-name }]
    metrics:
      - name: success-rate
        interval: 1m
        successCondition: result[0] >= 0.99
        failureLimit: 3
        provider: { prometheus: { address: "http://prometheus:9090", query: '${query}' } }
`;
}

const OTHER = `  other:
    match: { path: /other }
    versions: { v1: { url: "http://127.0.0.1:1" }, v2: { url: "http://127.0.0.1:2" } }
    stable: v1
    canary: v2
    rollout: { steps: [{ setWeight: 10 }] }
`;

async function simulate(t: Test, config: string, ...args: string[]) {
  return cli(['simulate', writeConfig(t, config), ...args]);
}

/** The play as JSON. */
async function play(t: Test, config: string, ...args: string[]) {
  const { out, code } = await simulate(t, config, '-o', 'json', ...args);
  return { code, ...JSON.parse(out) };
}

t.test('without a fault the textbook rollout reaches everyone', async (t) => {
  const { code, out, err } = await simulate(t, textbook());
  t.equal(code, 0);
  t.equal(err, '');
  t.match(
    out,
    /^iris-api: v2 against v1, 100 requests a second, seed 1\n\nTIME +EVENT +WEIGHT +EXPOSED +FAILED +WHAT\n/,
  );
  t.match(out, /\n5m +step +25 % +\d+ +0 +step 3 of 7: setWeight 25\n/);
  t.match(out, /\ncompleted after 30m at 100 %: v2 serves everyone/);
  t.match(out, /\n\d+ requests, \d+ of them to v2 \(3[345](\.\d+)? %\); 0 of those failed\n$/);
});

t.test('with the textbook fault it is aborted at the fourth failed measurement', async (t) => {
  const { code, out } = await simulate(t, textbook(), '--traffic', '100', '--fault', '5xx=0.05@10m');
  t.equal(code, 0, 'the play was made; how it ended is its answer');
  const rows = out.split('\n');
  t.equal(rows.filter((row) => /measured .* success-rate Failed \[0\.98/.test(row)).length, 4);
  t.match(out, /10m +fault +25 % +\d+ +0 +v2: 5 % of its answers are 5xx/);
  t.match(out, /\naborted after 1[345]m(\d+s)? at 0 %: background analysis: success-rate Failed/);
  const evidence = rows.filter((row) =>
    row.includes('- success-rate: Failed, failed (4) > failureLimit (3)'),
  );
  t.equal(evidence.length, 1, 'the evidence is told, and once');
});

t.test('as JSON', async (t) => {
  const aborted = await play(t, textbook(), '--fault', '5xx=0.2@6m', '--fault', 'latency=500ms@5m');
  t.match(aborted, {
    service: 'iris-api',
    stable: 'v1',
    canary: 'v2',
    traffic: 100,
    seed: 1,
    faults: [
      { kind: '5xx', share: 0.2, atMs: 360_000 },
      { kind: 'latency', addMs: 500, atMs: 300_000 },
    ],
    end: { status: 'aborted', phase: 'Degraded', weight: 0 },
    unsimulated: [],
  });
  t.ok(aborted.events.every((event: { atMs: number }) => Number.isFinite(event.atMs)));
  const again = await play(t, textbook(), '--fault', '5xx=20%@6m', '--fault', 'latency=500ms@5m');
  t.strictSame(again.events, aborted.events, 'equal seeds, equal plays');
  const other = await play(t, textbook(), '--fault', '5xx=20%@6m', '--seed', '2');
  t.notSame(other.events, aborted.events);
});

t.test('--expect makes the end an exit code', async (t) => {
  t.equal((await simulate(t, textbook(), '--expect', 'completed')).code, 0);
  t.equal((await simulate(t, textbook(), '--expect', 'aborted')).code, 1);
  t.equal((await simulate(t, textbook(), '--fault', '5xx=0.5', '--expect', 'aborted')).code, 0);
});

t.test('a query that cannot be simulated is said loudly, and may be given', async (t) => {
  const config = textbook({ query: 'sum(rate(mesh_requests_total[1m]))' });
  const { code, out, err } = await simulate(t, config, '--until', '20m');
  t.equal(code, 0);
  t.match(
    err,
    /NOT SIMULATED: metric success-rate: a play has no metric mesh_requests_total.*--measure success-rate=VALUE/,
  );
  t.match(
    out,
    /\nstill stepping \(the time of the play is up\) after 20m at 5 %: .*success-rate has no data: not simulated/,
  );
  const given = await simulate(t, config, '--measure', 'success-rate=0.999', '--expect', 'completed');
  t.match(given, { code: 0, err: '' });
  t.equal((await simulate(t, config, '--measure', 'success-rate=[0.9]', '--expect', 'aborted')).code, 0);
  t.match(
    (await simulate(t, config, '--measure', 'succes=1')).err,
    /there is no such metric; there are: success-rate/,
  );
});

t.test('an indefinite pause waits, or is promoted', async (t) => {
  const config = textbook({ steps: '[{ setWeight: 5 }, { pause: {} }, { setWeight: 100 }]' });
  t.match(
    (await simulate(t, config, '--until', '1h')).out,
    /\nstill stepping \(.*\) after 1h at 5 %: .*until someone promotes/,
  );
  t.match((await simulate(t, config, '--promote')).out, /\ncompleted after 1m at 100 %/);
  t.match((await simulate(t, config, '--promote', '10m')).out, /\ncompleted after 10m at 100 %/);
});

t.test('which service', async (t) => {
  const both = textbook({ more: OTHER });
  t.match(await simulate(t, both), { code: 2, err: 'coalmine: give --service: there are iris-api, other\n' });
  t.match((await simulate(t, both, '--service', 'other')).out, /^other: /);
  t.match(await simulate(t, both, '--service', 'none'), {
    code: 1,
    err: /none has no rollout; there are: iris-api, other/,
  });
  const plain = 'services: { a: { versions: { v1: { url: "http://127.0.0.1:1" } } } }\n';
  t.match(await simulate(t, plain), { code: 1, err: /no service of the config has a rollout/ });
  t.match(await simulate(t, 'services: { a: {} }\n'), { code: 1, err: /not sound\n.*services\.a/ });
});

t.test('wrong usage is told', async (t) => {
  for (const args of [
    ['--traffic', '0'],
    ['--traffic', 'many'],
    ['--fault', '4xx=0.1'],
    ['--fault', '5xx=2'],
    ['--fault', '5xx=0.1@soon'],
    ['--fault', 'latency=0.5'],
    ['--until', '0s'],
    ['--until', '31d'],
    ['--seed', '-1'],
    ['--errors', 'x'],
    ['--measure', 'name'],
    ['--promote', 'later'],
    ['--expect', 'victory'],
  ]) {
    const { code, err } = await simulate(t, textbook(), ...args);
    t.equal(code, 2, args.join(' '));
    t.match(err, args[0], args.join(' '));
  }
});
