import t from 'tap';
import { serve } from '../support/gateway.ts';
import { headerOf, textOf } from '../support/http1.ts';
import { answer, startOrigin } from '../support/origin.ts';
import { connectRaw, exchange, head } from '../support/raw.ts';
import { service, split, useRule, version } from '../support/split.ts';

/** find-my-way CVE-2026-47219, node CVE-2026-21710: names that every JavaScript object has. */

const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
];

t.test('as methods they are refused, or passed on as any other', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, split([service([version('v1', origin.url)])]));
  for (const name of NAMES) {
    const client = await connectRaw({ port: gateway.port });
    client.send(head(`${name} /x HTTP/1.1`, 'Connection: close'));
    await client.closed();
    t.ok([200, 400, 405, 501].includes(client.answers[0]?.status ?? 0), `${name}: ${client.describe()}`);
  }
  t.equal((await gateway.get('/probe')).status, 200);
});

t.test('as headers, cookies, query parameters and paths they are data', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, split([service([version('v1', origin.url)])]));
  for (const name of NAMES) {
    const client = await exchange(
      gateway.port,
      head(`GET /${name}?${name}=1 HTTP/1.1`, `${name}: own`, `Cookie: ${name}=1`, `Connection: ${name}-x`),
    );
    t.equal(client.answers[0]?.status, 200, name);
    const { message } = origin.requests.at(-1)!;
    t.equal(message.target, `/${name}?${name}=1`);
    t.equal(headerOf(message, name), 'own', `the header ${name} arrives`);
  }
  t.equal(({} as Record<string, unknown>).own, undefined);
});

t.test('as names of hosts, services and versions they are names', async (t) => {
  const origins = await Promise.all(
    NAMES.map((name) => startOrigin(t, (call) => call.write(answer(200, name)))),
  );
  const services = NAMES.map((name, i) =>
    service([version(name, origins[i]!.url)], { name, host: `${name.toLowerCase()}`, path: `/${name}` }),
  );
  const gateway = await serve(t, split(services));
  for (const name of NAMES) {
    const got = await gateway.get(`/${name}/x`, `Host: ${name}`);
    t.equal(textOf(got), name);
    t.equal(headerOf(got, 'x-coalmine-version'), name);
  }
  for (const host of ['tolocalestring', 'isprototypeof']) {
    t.equal((await gateway.get('/x', `Host: ${host}`)).status, 404, host);
  }
});

t.test('as sticky keys and rule values they split like any other key', async (t) => {
  const v1 = await startOrigin(t);
  const v2 = await startOrigin(t);
  const gateway = await serve(
    t,
    split([
      service([version('v1', v1.url), version('v2', v2.url)], {
        shares: [{ version: 1, weightBp: 5_000 }],
        rules: [
          useRule({ kind: 'header', name: 'x-group', match: { kind: 'oneOf', values: ['__proto__'] } }, 1),
        ],
      }),
    ]),
  );
  for (const name of NAMES) {
    const once = headerOf(await gateway.get('/x', `x-user-id: ${name}`), 'x-coalmine-version');
    t.equal(headerOf(await gateway.get('/x', `x-user-id: ${name}`), 'x-coalmine-version'), once, name);
  }
  t.equal(headerOf(await gateway.get('/x', 'x-group: __proto__'), 'x-coalmine-version'), 'v2');
});
