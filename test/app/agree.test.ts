import t from 'tap';
import type { Explanation } from '../../src/admin/contract.ts';
import { startApp } from '../../src/app.ts';
import { runCli } from '../../src/cli/main.ts';
import { memoryLog } from '../control/support.ts';
import { startEcho } from '../support/echo.ts';
import { writeConfig, yaml } from './support.ts';

const MORE = `      issueCookie: { name: coalmine_id, maxAge: 1d, secret: 0123456789abcdef0123456789abcdef }
    cohorts:
      internal: { header: { x-user-group: [staff, qa] } }
    regionHeader: x-region
    rules:
      - { when: { header: { x-canary: always } }, use: canary }
      - { when: { cohort: internal }, weight: 100 }
      - { when: { region: eu-west }, weight: 50 }
      - { when: { query: { trial: "yes" } }, weight: 70 }
      - { when: { cookie: { beta: "1" } }, use: v2 }
      - { when: { method: DELETE }, use: stable }
`;

/** Requests as `explain`'s options and as the gateway gets them. */
interface Case {
  readonly args: readonly string[];
  readonly headers: Record<string, string>;
  readonly method?: string;
  readonly path?: string;
}

function cases(): Case[] {
  const table: Case[] = [];
  for (let i = 0; i < 40; i++) {
    const user = `user-${i}`;
    const key = ['--key', user];
    const headers = { 'x-user-id': user };
    table.push({ args: key, headers });
    table.push({ args: [...key, '--region', 'EU-West'], headers: { ...headers, 'x-region': 'eu-west' } });
    table.push({ args: [...key, '--path', '/predict?trial=yes'], headers, path: '/predict?trial=yes' });
  }
  const user = ['--header', 'x-user-id: u42'];
  const headers = { 'x-user-id': 'u42' };
  table.push(
    { args: [...user, '--header', 'X-Canary: always'], headers: { ...headers, 'x-canary': 'always' } },
    { args: [...user, '--header', 'x-canary: never'], headers: { ...headers, 'x-canary': 'never' } },
    { args: [...user, '--header', 'x-user-group: qa'], headers: { ...headers, 'x-user-group': 'qa' } },
    { args: [...user, '--cookie', 'beta=1'], headers: { ...headers, cookie: 'a=b; beta=1' } },
    { args: [...user, '--method', 'delete'], headers, method: 'DELETE' },
  );
  return table;
}

t.test('explain from the file, explain from the gateway, and the gateway itself agree', async (t) => {
  const [v1, v2] = [await startEcho(t, 'one'), await startEcho(t, 'two')];
  const file = writeConfig(t, yaml(v1.url, v2.url, { weight: 30, more: MORE }));
  const app = await startApp({ configFile: file, env: {}, log: memoryLog() });
  t.teardown(() => app.close());
  const explain = async (args: readonly string[]): Promise<Explanation> => {
    let out = '';
    const io = {
      out: (text: string) => (out += text),
      err: (text: string) => t.fail(text),
      env: {},
      version: '0',
    };
    const code = await runCli(['explain', 'iris-api', '-o', 'json', ...args], io, noLong);
    t.equal(code, 0, args.join(' '));
    return JSON.parse(out) as Explanation;
  };
  const served = new Set<string | null>();
  for (const { args, headers, method = 'GET', path = '/predict' } of cases()) {
    const fromFile = await explain([...args, '--config', file]);
    const fromServer = await explain([...args, '--server', app.adminUrl]);
    t.strictSame(fromServer, fromFile, `file and server on ${args.join(' ')}`);
    const response = await fetch(`${app.gatewayUrl}${path}`, { method, headers });
    await response.arrayBuffer();
    t.equal(response.headers.get('x-coalmine-version'), fromFile.version, `the gateway on ${args.join(' ')}`);
    served.add(fromFile.version);
  }
  t.strictSame([...served].sort(), ['v1', 'v2'], 'both versions were among the answers');
});

t.test('they agree after a weight was set by hand, but for the file', async (t) => {
  const [v1, v2] = [await startEcho(t, 'one'), await startEcho(t, 'two')];
  const file = writeConfig(t, yaml(v1.url, v2.url, { weight: 0 }));
  const app = await startApp({ configFile: file, env: {}, log: memoryLog() });
  t.teardown(() => app.close());
  let out = '';
  const io = {
    out: (text: string) => (out += text),
    err: (text: string) => t.fail(text),
    env: {},
    version: '0',
  };
  const cli = async (...args: string[]) => {
    out = '';
    t.equal(await runCli(args, io, noLong), 0, args.join(' '));
    return out;
  };
  t.match(
    await cli('set-weight', 'iris-api', '100', '--server', app.adminUrl),
    /v2 0 % -> 100 % \(stage 1\)\n.*unchanged/,
  );
  const response = await fetch(app.gatewayUrl, { headers: { 'x-user-id': 'u42' } });
  await response.arrayBuffer();
  t.equal(response.headers.get('x-coalmine-version'), 'v2');
  t.match(await cli('explain', 'iris-api', '-k', 'u42', '--server', app.adminUrl), /version +v2/);
  t.match(await cli('explain', 'iris-api', '-k', 'u42', '--config', file), /version +v1/);
  t.match(await cli('get', 'iris-api', '--server', app.adminUrl), /set by hand/);
});

const noLong = {
  run: () => Promise.reject(new Error('not here')),
  demo: () => Promise.reject(new Error('not here')),
};
