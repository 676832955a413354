import { existsSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { formatIssue } from '../../src/config/issue.ts';
import { inspect } from '../config/support.ts';
import { blocksOf, PAGES, type Page, proseOf, ROOT } from './pages.ts';

/** What a page shows must hold when it is copied. */

/** What the configs of the pages need from outside. */
const OPTIONS = {
  env: {
    KPI_SECRET: 'a secret of documents',
    COALMINE_ADMIN_TOKEN: 'not-a-real-token',
    COALMINE_COOKIE_SECRET: 'not-a-real-secret',
  },
  files: {
    ...Object.fromEntries(
      ['ca.crt', 'tls.crt', 'tls.key'].map((name) => [`/etc/coalmine/tls/${name}`, 'PEM']),
    ),
    '/var/run/secrets/prometheus-token': 'not-a-real-token',
  },
};

const configs = PAGES.flatMap(blocksOf).filter(
  ({ language, text }) => language === 'yaml' && /^services:/m.test(text),
);

t.test('the pages show configs', async (t) => {
  for (const page of [
    'README.md',
    'docs/guide.md',
    'docs/config-reference.md',
    'docs/rollouts.md',
    'docs/gates.md',
    'docs/analysis.md',
    'docs/playbook-database.md',
  ]) {
    t.ok(
      configs.some(({ place }) => place.startsWith(`${page}:`)),
      page,
    );
  }
});

t.test('configs are sound', async (t) => {
  for (const { place, text } of configs) {
    const { issues, warnings } = inspect(text, OPTIONS);
    t.strictSame([...issues, ...warnings].map(formatIssue), [], place);
  }
});

t.test('links lead somewhere', async (t) => {
  const byName = new Map(PAGES.map((page) => [page.name, page]));
  let seen = 0;
  for (const page of PAGES) {
    for (const target of linksOf(page)) {
      seen++;
      const [file = '', anchor] = target.split('#');
      const name = file === '' ? page.name : path.posix.join(path.posix.dirname(page.name), file);
      t.ok(existsSync(path.join(ROOT, name)), `${page.name} -> ${target}`);
      if (anchor === undefined) continue;
      const to = byName.get(name);
      t.ok(to !== undefined && anchorsOf(to).has(anchor), `${page.name} -> ${target}: there is that heading`);
    }
  }
  t.ok(seen > 20, `${seen} links`);
});

/** Relative ones, of pictures too; others are not asked for over the network. */
function linksOf(page: Page): string[] {
  return [...proseOf(page).matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)]
    .map((match) => (match[1] ?? match[2]) as string)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** As GitHub makes them: lower case, punctuation gone, spaces to hyphens. */
function anchorsOf(page: Page): Set<string> {
  const headings = [...proseOf(page).matchAll(/^#{1,6} (.+)$/gm)].map((match) => match[1] as string);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
