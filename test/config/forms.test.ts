import t from 'tap';
import {
  isLoopback,
  readHost,
  readListen,
  readMatchHost,
  readOrigin,
  readRange,
} from '../../src/config/forms/addresses.ts';
import {
  readCookieName,
  readHeaderName,
  readKeySource,
  readMethod,
  readName,
  readQueryName,
  readRegion,
} from '../../src/config/forms/names.ts';
import { readPathPrefix, readPathText, readProbePath } from '../../src/config/forms/paths.ts';
import { readPointer } from '../../src/config/forms/pointer.ts';
import { readPercentText, readShare } from '../../src/config/forms/quantities.ts';
import type { Reading } from '../../src/config/forms/reading.ts';

/** Each text with the value it gives, or with what is wrong about it. */
type Cases<T> = readonly (readonly [text: string, expected: T | RegExp])[];

function table<T>(name: string, read: (text: string) => Reading<T>, cases: Cases<T>): void {
  t.test(name, async (t) => {
    for (const [text, expected] of cases) {
      const reading = read(text);
      const label = JSON.stringify(text);
      if (expected instanceof RegExp) {
        t.match(reading, { ok: false, message: expected }, label);
        t.ok(!reading.ok && reading.fix !== '', `${label} has a fix`);
      } else t.strictSame(reading, { ok: true, value: expected }, label);
    }
  });
}

table('where to listen', readListen, [
  ['0.0.0.0:8080', { host: '0.0.0.0', port: 8080 }],
  ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
  ['LOCALHOST:80', { host: 'localhost', port: 80 }],
  ['[::]:8080', { host: '::', port: 8080 }],
  ['[0:0:0:0:0:0:0:1]:1', { host: '::1', port: 1 }],
  [':8080', /names no address/],
  ['8080', /address and a port/],
  ['localhost', /address and a port/],
  ['localhost:99999', /above 65535/],
  ['localhost:-1', /address and a port/],
  ['::1:80', /address and a port/],
  ['[::g]:80', /no IPv6 address/],
  ['1.2.3:80', /no valid address/],
  ['300.1.1.1:80', /no valid address/],
  ['http://x:80', /address and a port/],
  ['a b:80', /no valid address/],
]);

t.test('loopback', async (t) => {
  for (const host of ['127.0.0.1', '127.9.9.9', 'localhost', '::1']) t.equal(isLoopback(host), true, host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'localhost.example.com', '127.example.com', '128.0.0.1']) {
    t.equal(isLoopback(host), false, host);
  }
});

table('hosts to match', readMatchHost, [
  ['api.example.com', 'api.example.com'],
  ['API.Example.COM', 'api.example.com'],
  ['*.Example.com', '*.example.com'],
  ['localhost', 'localhost'],
  ['iris_api', 'iris_api'],
  ['127.0.0.1', '127.0.0.1'],
  ['[0::1]', '[::1]'],
  ['*', /every host/],
  ['*.', /valid host/],
  ['a.*.com', /\* in the wrong place/],
  ['**.a.com', /\* in the wrong place/],
  ['a.com:80', /must not have a port/],
  ['http://a.com', /not a URL/],
  ['a..com', /valid host/],
  ['-a.com', /valid host/],
  ['a.com.', /valid host/],
  ['a.com/x', /valid host/],
  ['user@a.com', /valid host/],
  ['1.2.3', /valid host/],
  ['münchen.de', /Host header cannot hold/],
  [`${'a'.repeat(64)}.com`, /valid host/],
  [`${'a.'.repeat(127)}com`, /valid host/],
  ['', /valid host/],
]);

table('hosts without a wildcard', readHost, [
  ['a.com', 'a.com'],
  ['*.a.com', /\* in the wrong place/],
]);

table('endpoints', readOrigin, [
  ['http://iris-v1:80', 'http://iris-v1'],
  ['http://iris-v1:8080/', 'http://iris-v1:8080'],
  ['HTTPS://Iris.Example.com', 'https://iris.example.com'],
  ['http://[::1]:9', 'http://[::1]:9'],
  ['http://10.0.0.1:8080', 'http://10.0.0.1:8080'],
  ['iris-v1:80', /begin with http/],
  ['//iris', /begin with http/],
  ['ftp://iris', /scheme/],
  ['ws://iris', /scheme/],
  ['http://u:p@iris', /credentials/],
  ['http://iris@', /credentials/],
  ['http://iris/path', /path or a query/],
  ['http://iris?x', /path or a query/],
  ['http://iris/#', /path or a query/],
  ['http://iris\\x', /path or a query/],
  ['http://', /not a valid URL/],
  ['http:///x', /path or a query/],
  ['http://iris:', /not a valid URL/],
  ['http://iris:0', /port 0/],
  ['http://iris:99999', /not a valid URL/],
  ['http://a b', /not a valid URL/],
  ['http://a\tb', /not a valid URL/],
  ['http://[::g]', /not a valid URL/],
  ['http://ir%69s', /not a valid URL/],
  ['http://1.2.3', /not a valid URL/],
]);

table('trusted ranges', readRange, [
  ['10.0.0.0/8', ['10.0.0.0/8']],
  ['10.1.2.3', ['10.1.2.3/32']],
  ['FD00:0::/8', ['fd00::/8']],
  ['::1', ['::1/128']],
  ['loopback', ['127.0.0.0/8', '::1/128']],
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']],
  ['10.0.0.0/33', /longer than 32/],
  ['fd00::/129', /longer than 128/],
  ['0.0.0.0/0', /every address/],
  ['::/0', /every address/],
  ['10.0.0', /neither/],
  ['010.0.0.1', /neither/],
  ['10.0.0.0/', /neither/],
  ['1', /neither/],
  ['proxy.example.com', /neither/],
  ['', /neither/],
]);

table('names', readName, [
  ['iris-api', 'iris-api'],
  ['1.10', '1.10'],
  ['constructor', 'constructor'],
  ['a', 'a'],
  ['a b', /valid name/],
  ['-a', /valid name/],
  ['a.', /valid name/],
  ['__proto__', /valid name/],
  ['a\n', /valid name/],
  ['a"', /valid name/],
  ['', /valid name/],
  ['a'.repeat(64), /longer than 63/],
]);

table('headers', readHeaderName, [
  ['X-User-Id', 'x-user-id'],
  ['x user', /valid header/],
  ['x:', /valid header/],
  ['x\r\n', /valid header/],
  ['', /valid header/],
  ['ü', /valid header/],
  ['x'.repeat(129), /valid header/],
]);

table('cookies', readCookieName, [
  ['uid', 'uid'],
  ['UID', 'UID'],
  ['a=b', /valid cookie/],
  ['a;b', /valid cookie/],
]);

table('query parameters', readQueryName, [
  ['user id', 'user id'],
  ['', /from 1 to/],
]);

table('methods', readMethod, [
  ['GET', 'GET'],
  ['M-SEARCH', 'M-SEARCH'],
  ['get', /capital/],
  ['G T', /not a method/],
]);

table('regions', readRegion, [
  ['EU-West', 'eu-west'],
  ['eu west', /valid region/],
]);

table('sources of keys', readKeySource, [
  ['ip', { kind: 'ip' }],
  ['header:X-User', { kind: 'header', name: 'x-user' }],
  ['cookie:uid', { kind: 'cookie', name: 'uid' }],
  ['query:a:b', { kind: 'query', name: 'a:b' }],
  ['header', /no source/],
  ['header:', /valid header/],
  ['IP', /no source/],
  ['body:x', /no source/],
  [':x', /no source/],
]);

table('path prefixes', readPathPrefix, [
  ['/', '/'],
  ['/predict', '/predict'],
  ['/predict/', '/predict'],
  ['/..foo', '/..foo'],
  ['predict', /begin with/],
  ['', /begin with/],
  ['/a//b', /empty segment/],
  ['//', /empty segment/],
  ['/a/../b', /segment/],
  ['/.', /segment/],
  ['/%61', /percent/],
  ['/a?b', /query/],
  ['/a#b', /query/],
  ['/a\\b', /cannot hold/],
  ['/a b', /cannot hold/],
  ['/é', /cannot hold/],
  ['/\n', /cannot hold/],
  [`/${'a'.repeat(1_024)}`, /longer than/],
]);

table('paths to compare with', readPathText, [
  ['/predict/', '/predict/'],
  ['predict', /begin with/],
]);

table('paths to ask for', readProbePath, [
  ['/healthz?full=1', '/healthz?full=1'],
  ['healthz', /not a path/],
  ['/a b', /not a path/],
  ['/a#b', /not a path/],
  ['/a\r\nx', /not a path/],
]);

table('JSON Pointers', readPointer, [
  ['', []],
  ['/prediction', ['prediction']],
  ['/items/*/label', ['items', '*', 'label']],
  ['/a~1b/c~0d/~01', ['a/b', 'c~d', '~1']],
  ['/0/é y', ['0', 'é y']],
  ['/__proto__', ['__proto__']],
  [`/${Array.from({ length: 32 }, () => 'a').join('/')}`, Array.from({ length: 32 }, () => 'a')],
  [`/${Array.from({ length: 33 }, () => 'a').join('/')}`, /more than 32 parts/],
  [`/${'x'.repeat(512)}`, /longer than 512/],
  ['prediction', /begin with \//],
  ['#/prediction', /begin with \//],
  ['$.prediction', /is a JSONPath/],
  ['{$.prediction}', /is a JSONPath/],
  ['/', /empty part/],
  ['/a//b', /empty part/],
  ['/a/', /empty part/],
  ['/a~b', /~ that stands for nothing/],
  ['/a~', /~ that stands for nothing/],
]);

t.test('where in a pointer the fault lies', async (t) => {
  t.match(readPointer('/a//b'), { at: 2 });
  t.match(readPointer('/ab/c~d'), { at: 5 });
});

table('percentages with their sign', readPercentText, [
  ['5%', 0.05],
  ['0.5 %', 0.005],
  ['12.34%', 0.1234],
  ['7%', 0.07],
  ['0.1%', 0.001],
  ['50%', 0.5],
  ['50.1%', /0\.1% to 50%/],
  ['0%', /0\.1% to 50%/],
  ['5', /with its sign/],
  ['0.05', /with its sign/],
  ['-5%', /with its sign/],
  ['five%', /with its sign/],
  ['', /with its sign/],
]);

t.test('what was meant by a percentage without its sign', async (t) => {
  t.match(readPercentText('5'), { fix: 'write 5%' });
  t.match(readPercentText('0.05'), { fix: 'write 5%' });
});

t.test('shares', async (t) => {
  const rate = { min: 0.5, max: 0.999 };
  t.strictSame(readShare(0.5, rate), { ok: true, value: 0.5 });
  t.strictSame(readShare(0.999, rate), { ok: true, value: 0.999 });
  t.match(readShare(99, rate), { message: /not a percentage/, fix: 'write 0.99' });
  t.match(readShare(1, rate), { message: /from 0\.5 to 0\.999/, fix: 'write 0.999 or less' });
  t.match(readShare(0.4, rate), { fix: 'write 0.5 or more' });
  t.match(readShare(Number.NaN, rate), { ok: false });
});
