import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { buildPage, type Look, NEEDS_BROWSER, openBrowser, openPage } from '../support/browser.ts';
import { castOf } from '../support/dashboard/cast.ts';
import { startMock } from '../support/dashboard/mock.ts';
import { NOW_MS } from '../support/dashboard/scenes.ts';

/**
 * The pictures of docs/dashboard.md, of made-up data, so that they are the same each time.
 * COALMINE_PICTURES=1 puts them into docs/pictures; else they are only taken.
 */

const DOCS = fileURLToPath(new URL('../../docs/pictures', import.meta.url));
const MAX_BYTES = 200_000;

const IRIS = '#/services/iris-api';

const PICTURES: readonly (Look & {
  readonly name: string;
  readonly state: string;
  readonly hash: string;
  readonly sign: string;
})[] = [
  { name: 'dashboard', state: 'showcase', hash: IRIS, sign: '.plot canvas', height: 1_130 },
  { name: 'dashboard-dark', state: 'aborted', hash: IRIS, sign: '.plot canvas', theme: 'dark', height: 760 },
  { name: 'dashboard-phone', state: 'showcase', hash: IRIS, sign: '.plot canvas', width: 380, height: 820 },
  { name: 'dashboard-services', state: 'held', hash: '#/', sign: '.row', height: 640 },
  {
    name: 'dashboard-explain',
    state: 'good',
    hash: `${IRIS}/explain?key=ada`,
    sign: '.line-bar i',
    height: 500,
  },
  {
    name: 'dashboard-experiment',
    state: 'good',
    hash: '#/services/search/experiment',
    sign: '.plot canvas',
    height: 820,
  },
];

t.test('pictures for the docs', { ...NEEDS_BROWSER, timeout: 90_000 }, async (t) => {
  const page = t.testdir();
  const folder = process.env.COALMINE_PICTURES === '1' ? DOCS : path.join(page, 'pictures');
  mkdirSync(folder, { recursive: true });
  buildPage(page);
  const browser = await openBrowser(t);
  for (const { name, state, hash, sign, ...look } of PICTURES) {
    const mock = await startMock(page, castOf(state));
    const opened = await openPage(browser, mock.url + hash, { ...look, nowMs: NOW_MS });
    await opened.page.waitForSelector(sign);
    await opened.page.locator('.link', { hasText: 'live' }).waitFor();
    // Fonts, and whatever was drawn last.
    await opened.page.evaluate('document.fonts.ready.then(() => undefined)');
    const file = path.join(folder, `${name}.png`);
    await opened.page.screenshot({ path: file });
    t.ok(statSync(file).size < MAX_BYTES, `${name}: ${statSync(file).size} bytes`);
    await opened.page.context().close();
    await mock.close();
  }
});
