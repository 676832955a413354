import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { CookieIssuer, cookieValue } from '../../src/gateway/cookies.ts';

const SPEC = { name: 'coalmine_id', maxAgeS: 2_592_000, secret: 'a secret', domain: null };

t.test('a cookie’s value is found as the table says', async (t) => {
  const table: readonly (readonly [header: string | undefined, name: string, value: string | undefined])[] = [
    [undefined, 'a', undefined],
    ['', 'a', undefined],
    ['a=1', 'a', '1'],
    ['a=1; b=2', 'b', '2'],
    ['a=1;b=2', 'b', '2'],
    ['a=1;   b=2  ', 'b', '2'],
    ['b=2; a=1; a=3', 'a', '1'],
    ['aa=1', 'a', undefined],
    ['aa=1; a=2', 'a', '2'],
    ['xa=1', 'a', undefined],
    ['a=', 'a', ''],
    ['a', 'a', undefined],
    ['a; b=2', 'b', '2'],
    ['a=b=c', 'a', 'b=c'],
    ['a="quoted"', 'a', 'quoted'],
    ['a=""', 'a', ''],
    ['a="', 'a', '"'],
    ['a="open', 'a', '"open'],
    [';;a=1;;', 'a', '1'],
    ['b=a=1', 'a', undefined],
    ['A=1', 'a', undefined],
    ['__proto__=x', '__proto__', 'x'],
    ['b=1', 'constructor', undefined],
  ];
  for (const [header, name, value] of table) t.equal(cookieValue(header, name), value, `${header} ${name}`);
});

t.test('in any list of cookies the first of a name is found', async () => {
  const name = fc.constantFrom('a', 'b', 'ab', 'uid');
  const value = fc.stringMatching(/^[A-Za-z0-9=._-]{0,8}$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), name, (cookies, wanted) => {
      const header = cookies.map(([name, value]) => `${name}=${value}`).join('; ');
      return cookieValue(header, wanted) === cookies.find(([name]) => name === wanted)?.[1];
    }),
  );
});

/** The cookie's own value out of a Set-Cookie header. */
function valueIn(setCookie: string): string {
  return cookieValue(setCookie, SPEC.name) ?? '';
}

t.test('an id that was handed out comes back verified', async (t) => {
  const issuer = new CookieIssuer(SPEC);
  const id = issuer.newId();
  t.match(id, /^[A-Za-z0-9_-]{22}$/, '128 bits');
  t.not(issuer.newId(), id);
  const value = valueIn(issuer.setCookie(id, false));
  t.equal(issuer.verify(value), id);
  t.equal(new CookieIssuer(SPEC).verify(value), id, 'at another replica with the same secret');
  t.equal(value, `${id}.${createHmac('sha256', SPEC.secret).update(id).digest('base64url')}`);
});

t.test('the cookie’s attributes', async (t) => {
  const id = 'A'.repeat(22);
  const attributes = (setCookie: string) => setCookie.split('; ').slice(1);
  const plain = ['Path=/', 'Max-Age=2592000', 'HttpOnly', 'SameSite=Lax'];
  t.strictSame(attributes(new CookieIssuer(SPEC).setCookie(id, false)), plain);
  t.strictSame(attributes(new CookieIssuer(SPEC).setCookie(id, true)), [...plain, 'Secure']);
  const wide = new CookieIssuer({ ...SPEC, domain: 'example.com' });
  t.strictSame(attributes(wide.setCookie(id, true)), [...plain, 'Domain=example.com', 'Secure']);
});

t.test('an id that was not handed out is none', async (t) => {
  const issuer = new CookieIssuer(SPEC);
  const id = issuer.newId();
  const value = valueIn(issuer.setCookie(id, false));
  const signature = value.slice(id.length + 1);
  const forged: readonly (readonly [why: string, value: string])[] = [
    ['empty', ''],
    ['no signature', id],
    ['an empty signature', `${id}.`],
    ['no id', `.${signature}`],
    ['another id under this signature', `${issuer.newId()}.${signature}`],
    ['another secret', valueIn(new CookieIssuer({ ...SPEC, secret: 'guess' }).setCookie(id, false))],
    ['an empty secret', `${id}.${createHmac('sha256', '').update(id).digest('base64url')}`],
    ['the hash in hexadecimal', `${id}.${createHmac('sha256', SPEC.secret).update(id).digest('hex')}`],
    ['the hash with padding', `${id}.${signature}=`],
    ['a short signature', value.slice(0, -1)],
    ['a long signature', `${value}A`],
    ['two signatures', `${value}.${signature}`],
    ['a chosen id, signed with nothing', 'user-42.'],
    ['bytes of several widths', `${id}.${'é'.repeat(signature.length)}`],
    ['very long', `${id}.${'A'.repeat(100_000)}`],
  ];
  for (const [why, text] of forged) t.equal(issuer.verify(text), '', why);
});

t.test('no single changed character is let through', async (t) => {
  const issuer = new CookieIssuer(SPEC);
  const value = valueIn(issuer.setCookie(issuer.newId(), false));
  const accepted: string[] = [];
  for (let at = 0; at < value.length; at++) {
    for (const char of 'Aa0-_.') {
      if (value[at] === char) continue;
      const changed = value.slice(0, at) + char + value.slice(at + 1);
      if (issuer.verify(changed) !== '') accepted.push(changed);
    }
  }
  t.strictSame(accepted, []);
});

t.test('ids of a shape that we do not make are refused even when they are signed', async (t) => {
  const issuer = new CookieIssuer(SPEC);
  for (const id of ['', 'u42', 'A'.repeat(21), 'A'.repeat(23), `${'A'.repeat(21)}=`]) {
    const signature = createHmac('sha256', SPEC.secret).update(id).digest('base64url');
    t.equal(issuer.verify(`${id}.${signature}`), '', id);
  }
});
