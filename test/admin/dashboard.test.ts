import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { encodingFor, wantsHtml } from '../../src/admin/negotiate.ts';
import { readPageFiles } from '../../src/admin/page-files.ts';
import { tempDir } from '../app/support.ts';
import { type Ask, ask, startTestAdmin } from './support.ts';

const HTML = '<!doctype html><title>coalmine</title><script src="/dashboard/app.js"></script>\n'.repeat(20);
const SCRIPT = 'export const answer = 42;\n'.repeat(50);
const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

function pageFolder(t: Test): string {
  const folder = path.join(tempDir(t), 'dashboard');
  mkdirSync(path.join(folder, 'below'), { recursive: true });
  writeFileSync(path.join(folder, 'index.html'), HTML);
  writeFileSync(path.join(folder, 'app.js'), SCRIPT);
  writeFileSync(path.join(folder, 'app.css'), 'body{}');
  writeFileSync(path.join(folder, 'favicon.svg'), '<svg/>');
  writeFileSync(path.join(folder, 'app.js.map'), '{}');
  writeFileSync(path.join(folder, 'below', 'secret.js'), 'classified');
  writeFileSync(path.join(folder, '..', 'outside.js'), 'classified');
  return folder;
}

async function startPage(t: Test, access: Parameters<typeof startTestAdmin>[1] = {}) {
  return startTestAdmin(t, access, await readPageFiles(pageFolder(t)));
}

t.test('browsers get the page at /, programs the list of routes', async (t) => {
  const { ask } = await startPage(t);
  const page = await ask('/', { headers: BROWSER });
  t.equal(page.status, 200);
  t.equal(page.text, HTML);
  t.equal(page.headers['content-type'], 'text/html; charset=utf-8');
  t.match(page.headers.vary, 'accept');
  for (const headers of [{}, { accept: '*/*' }, { accept: 'text/html;q=0, */*' }] as Record<
    string,
    string
  >[]) {
    const index = await ask('/', { headers });
    t.match(index.text, /^coalmine, admin port/);
    t.equal(index.headers['content-type'], 'text/plain; charset=utf-8');
  }
});

t.test('files of the page, each with its type', async (t) => {
  const { ask } = await startPage(t);
  const types: readonly (readonly [string, string])[] = [
    ['app.js', 'text/javascript; charset=utf-8'],
    ['app.css', 'text/css; charset=utf-8'],
    ['favicon.svg', 'image/svg+xml'],
    ['index.html', 'text/html; charset=utf-8'],
  ];
  for (const [name, type] of types) {
    const answer = await ask(`/dashboard/${name}`);
    t.equal(answer.status, 200, name);
    t.equal(answer.headers['content-type'], type);
    t.equal(answer.headers['x-content-type-options'], 'nosniff');
    t.equal(answer.headers['cache-control'], 'no-cache');
  }
});

t.test('nothing but the files of the folder, whatever is asked for', async (t) => {
  const { admin } = await startPage(t);
  for (const name of [
    'app.js.map',
    'below/secret.js',
    'below%2fsecret.js',
    '../outside.js',
    '..%2foutside.js',
    '%2e%2e%2foutside.js',
    '..%5coutside.js',
    'app.js%00',
    '__proto__',
    'constructor',
    '',
  ]) {
    const answer = await ask(admin.url, `/dashboard/${name}`);
    t.not(answer.status, 200, name);
    t.notMatch(answer.text, 'classified');
  }
});

t.test('the policy lets nothing in from elsewhere', async (t) => {
  const { ask } = await startPage(t);
  for (const where of ['/', '/dashboard/app.js']) {
    const { headers } = await ask(where, { headers: BROWSER });
    t.equal(
      headers['content-security-policy'],
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    t.equal(headers['referrer-policy'], 'no-referrer');
    t.equal(headers['cross-origin-resource-policy'], 'same-origin');
  }
  const api = await ask('/api/v1/services');
  t.equal(api.headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'");
  t.equal(api.headers['cache-control'], 'no-store');
});

t.test('the page comes without the token, so that it can ask for one; what it shows does not', async (t) => {
  const { ask } = await startPage(t, { host: '0.0.0.0', token: 's3cret' });
  t.equal((await ask('/', { headers: BROWSER })).status, 200);
  t.equal((await ask('/')).status, 200);
  t.equal((await ask('/dashboard/app.js')).status, 200);
  t.equal((await ask('/dashboard/nothing.js')).status, 404);
  t.equal((await ask('/api/v1/services')).status, 401);
  t.equal((await ask('/api/v1/events')).status, 401);
  t.equal((await ask('/metrics')).status, 401);
  for (const method of ['POST', 'PUT', 'DELETE']) {
    const answer = await ask('/dashboard/app.js', { method });
    t.equal(answer.status, 401, `${method} is no part of it`);
  }
});

t.test('the page is served under our own name alone', async (t) => {
  const { ask } = await startPage(t);
  for (const where of ['/', '/dashboard/app.js', '/dashboard/nothing.js']) {
    const answer = await ask(where, { headers: { ...BROWSER, host: 'rebound.example.com' } });
    t.equal(answer.status, 421, where);
  }
  const named = await startPage(t, { allowedHosts: ['canary.example.com'] });
  t.equal((await named.ask('/', { headers: { ...BROWSER, host: 'canary.example.com' } })).status, 200);
});

t.test('compressed for those who take it', async (t) => {
  const { admin } = await startPage(t);
  const get = (encoding: string) =>
    raw(admin.url, '/dashboard/app.js', { headers: { 'accept-encoding': encoding } });
  const br = await get('gzip, deflate, br');
  t.equal(br.headers['content-encoding'], 'br');
  t.equal(String(brotliDecompressSync(br.body)), SCRIPT);
  const gz = await get('gzip');
  t.equal(gz.headers['content-encoding'], 'gzip');
  t.equal(String(gunzipSync(gz.body)), SCRIPT);
  const plain = await get('identity');
  t.equal(plain.headers['content-encoding'], undefined);
  t.equal(String(plain.body), SCRIPT);
  for (const { headers, body } of [br, gz, plain]) {
    t.equal(headers['content-length'], String(body.length));
    t.equal(headers.vary, 'accept-encoding');
  }
  t.ok(br.body.length < SCRIPT.length / 5);
  t.equal(new Set([br, gz, plain].map(({ headers }) => headers.etag)).size, 3, 'an ETag for each form');
});

t.test('304 to those who have it', async (t) => {
  const { ask } = await startPage(t);
  const { headers } = await ask('/dashboard/app.js');
  const etag = String(headers.etag);
  for (const held of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await ask('/dashboard/app.js', { headers: { 'if-none-match': held } });
    t.equal(again.status, 304, held);
    t.equal(again.text, '');
    t.equal(again.headers.etag, etag);
  }
  t.equal((await ask('/dashboard/app.js', { headers: { 'if-none-match': '"other"' } })).status, 200);
  const br = { 'accept-encoding': 'br', 'if-none-match': etag };
  t.equal((await ask('/dashboard/app.js', { headers: br })).status, 200, 'another form is another thing');
  t.equal((await ask('/', { headers: { ...BROWSER, 'if-none-match': etag } })).status, 200);
});

t.test('HEAD', async (t) => {
  const { ask } = await startPage(t, { host: '0.0.0.0', token: 's3cret' });
  const head = await ask('/dashboard/app.js', { method: 'HEAD' });
  t.equal(head.status, 200);
  t.equal(head.text, '');
  t.equal(head.headers['content-length'], String(SCRIPT.length));
  t.equal(
    (await ask('/', { method: 'HEAD', headers: BROWSER })).headers['content-type'],
    'text/html; charset=utf-8',
  );
});

t.test('where it was not built a browser is told how to', async (t) => {
  t.equal((await readPageFiles(path.join(tempDir(t), 'nothing'))).size, 0);
  const empty = path.join(tempDir(t), 'dashboard');
  mkdirSync(empty);
  writeFileSync(path.join(empty, 'app.js'), 'half a page');
  t.equal((await readPageFiles(empty)).size, 0, 'without index.html there is no page');
  const { ask } = await startTestAdmin(t);
  const page = await ask('/', { headers: BROWSER });
  t.equal(page.status, 200);
  t.equal(page.headers['content-type'], 'text/plain; charset=utf-8');
  t.match(page.text, /npm run build.*GET \/metrics/s);
  t.match((await ask('/')).text, /^coalmine, admin port/);
  t.equal((await ask('/dashboard/app.js')).status, 404);
});

t.test('which form may be sent', async (t) => {
  const table: readonly (readonly [string | undefined, string])[] = [
    [undefined, 'identity'],
    ['', 'identity'],
    ['gzip', 'gzip'],
    ['gzip, br', 'br'],
    ['br;q=0, gzip', 'gzip'],
    ['BR', 'br'],
    ['*', 'br'],
    ['*;q=0', 'identity'],
    ['gzip;q=0, *', 'br'],
    ['br;q=0, *;q=0.1', 'gzip'],
    ['deflate', 'identity'],
  ];
  for (const [header, encoding] of table) t.equal(encodingFor(header), encoding, String(header));
  t.equal(wantsHtml(undefined), false);
  t.equal(wantsHtml('text/*'), false);
  t.equal(wantsHtml('application/json, Text/HTML;q=0.1'), true);
});

/** As `ask`, with the body as it came. */
function raw(url: string, where: string, { headers = {} }: Ask) {
  const { hostname, port } = new URL(url);
  return new Promise<{ headers: http.IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
    http
      .get({ hostname, port, path: where, headers, agent: false }, async (response) => {
        const parts: Buffer[] = [];
        for await (const part of response) parts.push(part as Buffer);
        resolve({ headers: response.headers, body: Buffer.concat(parts) });
      })
      .on('error', reject);
  });
}
