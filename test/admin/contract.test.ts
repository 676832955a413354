import fc from 'fast-check';
import t from 'tap';
import { addressKey, describeRequest } from '../../src/admin/contract.ts';
import * as gateway from '../../src/gateway/peers.ts';

function describe(query: string) {
  const parsed = describeRequest(new URLSearchParams(query));
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.request;
}

function fault(query: string): string {
  const parsed = describeRequest(new URLSearchParams(query));
  return parsed.ok ? '' : parsed.message;
}

t.test('a request as its query string describes it', async (t) => {
  const query =
    'key=u42&header=X-Canary:+always&header=x-a:b:c&cookie=uid=7&method=post&region=eu&ip=10.0.0.1';
  const request = describe(`${query}&path=${encodeURIComponent('/predict?user=a%20b&user=c')}`);
  t.strictSame(request, {
    key: 'u42',
    headers: new Map([
      ['x-canary', 'always'],
      ['x-a', 'b:c'],
    ]),
    cookies: new Map([['uid', '7']]),
    query: new Map([['user', 'a b']]),
    method: 'POST',
    path: '/predict',
    ip: '10.0.0.1',
    region: 'eu',
  });
});

t.test('what is left out is absent', async (t) => {
  t.strictSame(describe(''), {
    key: null,
    headers: new Map(),
    cookies: new Map(),
    query: new Map(),
    method: 'GET',
    path: null,
    ip: null,
    region: null,
  });
});

t.test('a Cookie header is read, the first of a name counts', async (t) => {
  const { cookies } = describe('header=Cookie:+a=1;+b=2&cookie=a=3');
  t.strictSame(
    cookies,
    new Map([
      ['a', '1'],
      ['b', '2'],
    ]),
  );
});

t.test('what is wrong is named', async (t) => {
  t.match(fault('hedaer=a:b'), /unknown parameter "hedaer"; known: key,.*header/);
  t.match(fault('key=a&key=b'), /key may be given once only/);
  t.match(fault('header=nocolon'), /header must be "name: value", not "nocolon"/);
  t.match(fault('header=a%20b:c'), /header must be/);
  t.match(fault('cookie=nothing'), /cookie must be "name=value"/);
  t.match(fault('method=GET%20/'), /method must be a word/);
  t.match(fault('path=predict'), /path must start with \//);
  t.match(fault('ip=300.1.1.1'), /ip must be an IPv4 or IPv6 address/);
  t.match(fault('ip=::g'), /ip must be/);
});

t.test('addresses are keyed as the gateway keys them', async (t) => {
  const same = (address: string) => addressKey(address) === gateway.addressKey(gateway.plainAddress(address));
  for (const address of [
    '10.0.0.1',
    '::1',
    '2001:db8::1',
    '::ffff:10.0.0.1',
    '1:0:0:2:3:4:5:6',
    '0:1::',
    'fe80::1',
  ]) {
    t.ok(same(address), `${address} -> ${addressKey(address)}`);
  }
  const groups = (group: fc.Arbitrary<number>) => fc.array(group, { minLength: 8, maxLength: 8 });
  const text = (parts: readonly number[]) => parts.map((part) => part.toString(16)).join(':');
  t.doesNotThrow(() => fc.assert(fc.property(fc.ipV4(), same)));
  t.doesNotThrow(() => fc.assert(fc.property(groups(fc.nat(0xffff)), (parts) => same(text(parts)))));
  t.doesNotThrow(() =>
    fc.assert(fc.property(groups(fc.constantFrom(0, 1, 0xabc)), (parts) => same(text(parts)))),
  );
});
