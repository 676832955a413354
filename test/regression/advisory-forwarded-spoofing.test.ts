import t, { type Test } from 'tap';
import { serve } from '../support/gateway.ts';
import { headerOf } from '../support/http1.ts';
import { startOrigin } from '../support/origin.ts';
import { exchange, head } from '../support/raw.ts';
import { single } from '../support/split.ts';

/** CVE-2026-3635, CVE-2026-16732: X-Forwarded-* of strangers were believed. Trust is by address range only. */

const SPOOFED = [
  'X-Forwarded-For: 6.6.6.6, 10.0.0.1',
  'X-Forwarded-Host: evil.example',
  'X-Forwarded-Proto: https',
  'Forwarded: for=6.6.6.6;host=evil.example;proto=https',
];

async function seen(t: Test, trustProxy: string[], lines: readonly string[]) {
  const origin = await startOrigin(t);
  const gateway = await serve(t, { ...single(origin.url), trustProxy });
  const client = await exchange(gateway.port, head('GET /x HTTP/1.1', 'Host: good.example', ...lines));
  t.equal(client.answers[0]?.status, 200);
  const { message } = origin.requests[0]!;
  return (name: string) => headerOf(message, name);
}

t.test('a stranger’s words are replaced', async (t) => {
  for (const trust of [[], ['10.0.0.0/8', '::1/128']]) {
    const sent = await seen(t, trust, SPOOFED);
    t.equal(sent('x-forwarded-for'), '127.0.0.1');
    t.equal(sent('x-forwarded-host'), 'good.example');
    t.equal(sent('x-forwarded-proto'), 'http');
    t.notMatch(sent('forwarded') ?? '', /6\.6\.6\.6|evil/);
  }
});

t.test('odd spellings are replaced too', async (t) => {
  const sent = await seen(
    t,
    [],
    [
      'x-forwarded-for: 6.6.6.6',
      'X-FORWARDED-FOR: 6.6.6.6',
      'X-Forwarded-Host: evil.example',
      'x-forwarded-host: evil.example',
    ],
  );
  t.equal(sent('x-forwarded-for'), '127.0.0.1');
  t.equal(sent('x-forwarded-host'), 'good.example');
});

t.test('a trusted proxy’s words are kept and added to', async (t) => {
  const sent = await seen(t, ['127.0.0.0/8'], SPOOFED);
  t.match(sent('x-forwarded-for'), /^6\.6\.6\.6, *10\.0\.0\.1, *127\.0\.0\.1$/);
  t.equal(sent('x-forwarded-host'), 'evil.example');
  t.equal(sent('x-forwarded-proto'), 'https');
});

t.test('behind a trusted proxy the client is the first hop from the right that is not trusted', async (t) => {
  const origin = await startOrigin(t);
  const canary = await startOrigin(t);
  const base = single(origin.url);
  const [service] = base.services;
  // By address: every bucket of one address must give one version, whatever stands left of it.
  const split = {
    ...base,
    trustProxy: ['127.0.0.0/8', '10.0.0.0/8'],
    services: [
      {
        ...service!,
        versions: [
          service!.versions[0]!,
          {
            ...service!.versions[0]!,
            name: 'v2',
            upstream: { ...service!.versions[0]!.upstream, endpoints: [canary.url] },
          },
        ],
        shares: [{ version: 1, weightBp: 5_000 }],
        sticky: { ...service!.sticky, by: [{ kind: 'ip' as const }] },
      },
    ],
  };
  const gateway = await serve(t, split);
  const versionOf = async (forwardedFor: string) =>
    headerOf(await gateway.get('/x', `X-Forwarded-For: ${forwardedFor}`), 'x-coalmine-version');
  const byClient = new Map<string, string | undefined>();
  for (let i = 0; i < 20; i++) byClient.set(`203.0.113.${i}`, await versionOf(`203.0.113.${i}`));
  t.same(new Set(byClient.values()), new Set(['v1', 'v2']), 'the address decides');
  for (const [address, version] of byClient) {
    t.equal(await versionOf(`${address}, 10.0.0.7`), version, 'through one more trusted hop');
    for (const lie of ['6.6.6.6', '6.6.6.7', '127.0.0.1', 'nonsense', '']) {
      t.equal(await versionOf(`${lie}, ${address}`), version, `a client that claims to be ${lie}`);
    }
  }
});
