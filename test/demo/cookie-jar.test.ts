import t from 'tap';
import { CookieJar } from '../../src/demo/cookie-jar.ts';

t.test('keeps names and values, forgets attributes', (t) => {
  const jar = new CookieJar();
  t.equal(jar.header(), null);
  jar.take(undefined);
  jar.take(['id=a.b=c; Path=/; HttpOnly; Max-Age=60', 'theme=dark']);
  t.equal(jar.header(), 'id=a.b=c; theme=dark');
  jar.take(['id=new', 'nonsense', '=x']);
  t.equal(jar.header(), 'id=new; theme=dark');
  jar.take(['theme=; Max-Age=0']);
  t.equal(jar.header(), 'id=new');
  t.end();
});

t.test('is bounded', (t) => {
  const jar = new CookieJar();
  jar.take(Array.from({ length: 100 }, (_, i) => `c${i}=1`));
  t.equal(jar.header()?.split('; ').length, 20);
  jar.take(['c3=2']);
  t.match(jar.header(), /c3=2/, 'a known one still changes');
  t.end();
});
