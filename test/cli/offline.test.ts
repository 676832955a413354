import { readFileSync } from 'node:fs';
import t from 'tap';
import { writeConfig, yaml } from '../app/support.ts';
import { cli } from './support.ts';

const SOUND = yaml('http://127.0.0.1:1', 'http://127.0.0.1:2');
const BROKEN = yaml('http://127.0.0.1:1', 'http://127.0.0.1:2', { weight: 101, more: '    wieght: 5\n' });

t.test('validate', async (t) => {
  const sound = writeConfig(t, SOUND);
  t.match(await cli(['validate', sound]), {
    code: 0,
    out: `${sound}: ok (1 service, 2 versions)\n`,
    err: '',
  });

  const broken = writeConfig(t, BROKEN);
  const { code, out } = await cli(['lint', broken, sound]);
  t.equal(code, 1);
  t.match(out, `${broken}:14:13 services.iris-api.weight: `);
  t.match(out, `${broken}:17:5 services.iris-api.wieght: `);
  t.match(out, `${sound}: ok`, 'the others are checked as well');

  const json = JSON.parse((await cli(['validate', '-o', 'json', broken])).out);
  t.match(json, [
    { file: broken, ok: false, issues: [{ line: 14, column: 13, path: 'services.iris-api.weight' }, {}] },
  ]);
});

t.test('validate a file that is not there', async (t) => {
  const { code, out } = await cli(['validate', '/nonexistent/coalmine.yaml']);
  t.equal(code, 1);
  t.match(out, /^\/nonexistent\/coalmine\.yaml:/);
});

t.test('validate knows the environment', async (t) => {
  const file = writeConfig(t, `${SOUND}region: \${HERE}\n`);
  t.equal((await cli(['validate', file])).code, 1);
  t.equal((await cli(['validate', file], { HERE: 'eu-west' })).code, 0);
});

t.test('explain from a file', async (t) => {
  const file = writeConfig(t, SOUND);
  const { code, out } = await cli(['explain', 'iris-api', '-k', 'u42', '--config', file]);
  t.equal(code, 0);
  t.match(out, /^service +iris-api\nversion +v1\nbecause +key "u42" from header:x-user-id has bucket \d+ /);

  const none = await cli(['explain', 'nobody', '--config', file]);
  t.match(none, { code: 1, out: '', err: 'coalmine: there is no service nobody; there are: iris-api\n' });

  const broken = await cli(['explain', 'iris-api', '--config', writeConfig(t, BROKEN)]);
  t.equal(broken.code, 1);
  t.match(broken.err, /coalmine\.yaml:14:13 services\.iris-api\.weight/);
});

t.test('explain from a file with a rollout: what each step will change', async (t) => {
  const rollout = '    rollout: { steps: [{ setWeight: 10 }, { pause: {} }, { setWeight: 50 }] }\n';
  const file = writeConfig(t, SOUND.replace('    weight: 5\n', '') + rollout);
  const { code, out, err } = await cli(['explain', 'iris-api', '-k', 'u42', '--config', file]);
  t.equal(err, '');
  t.equal(code, 0);
  const lines = out.slice(out.indexOf('once its rollout begins')).split('\n');
  t.match(lines.slice(1), [
    /^STEP +WHAT +VERSION +BECAUSE$/,
    /^1 +setWeight 10 +v[12] +key "u42" /,
    /^3 +setWeight 50 +v[12] +key "u42" /,
    /^ +promotion +v2 +key "u42" /,
  ]);
});

t.test('schema prints the committed one', async (t) => {
  const { code, out } = await cli(['schema']);
  t.equal(code, 0);
  const committed = new URL('../../config/coalmine.schema.json', import.meta.url);
  t.equal(out, readFileSync(committed, 'utf8'));
});
