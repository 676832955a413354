import t from 'tap';
import { buildPage, NEEDS_BROWSER, openBrowser, openPage } from '../support/browser.ts';
import { castOf } from '../support/dashboard/cast.ts';
import { startMock } from '../support/dashboard/mock.ts';
import { until } from '../support/wait.ts';

const IRIS = '#/services/iris-api';

t.test('what the gateway refuses is said where it was asked', NEEDS_BROWSER, async (t) => {
  const folder = t.testdir();
  buildPage(folder);
  const mock = await startMock(folder, castOf('good'));
  t.teardown(() => mock.close());
  const { page, expectLosses } = await openPage(await openBrowser(t), mock.url + IRIS);
  expectLosses();
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Everyone keeps the version they have').waitFor();
  await dialog.getByRole('button', { name: 'Pause' }).click();
  await dialog.getByRole('alert').getByText('It was not done: it is paused already').waitFor();
  await page.keyboard.press('Escape');
  t.equal(await page.getByRole('dialog').count(), 0);
  t.equal(
    await page.evaluate('document.activeElement.textContent'),
    'Pause',
    'and the button has the focus again',
  );
});

t.test('a theme of one’s own is remembered', NEEDS_BROWSER, async (t) => {
  const folder = t.testdir();
  buildPage(folder);
  const mock = await startMock(folder, castOf('good'));
  t.teardown(() => mock.close());
  const { page } = await openPage(await openBrowser(t), mock.url, { theme: 'light' });
  const paper = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
  const light = await paper();
  await page.getByRole('button', { name: 'dark' }).click();
  const dark = await paper();
  t.not(dark, light);
  await page.reload();
  await page.waitForSelector('.row');
  t.equal(await paper(), dark);
  await page.getByRole('button', { name: 'as the system' }).click();
  t.equal(await paper(), light);
});

t.test('hundreds of services: those in trouble first, the others by their name', NEEDS_BROWSER, async (t) => {
  const folder = t.testdir();
  buildPage(folder);
  const cast = castOf('aborted');
  const [quiet, main, ...rest] = cast.overview.services;
  const many = Array.from({ length: 400 }, (_, i) => ({
    ...quiet!,
    name: `model-${i}`,
    match: { host: null, path: `/m${i}` },
  }));
  cast.overview = { ...cast.overview, services: [...many, main!, ...rest] };
  const mock = await startMock(folder, cast);
  t.teardown(() => mock.close());
  const { page, problems } = await openPage(await openBrowser(t), mock.url);
  t.equal(await page.locator('.row h2').first().textContent(), 'iris-api');
  await page.getByLabel('Filter').fill('model-39');
  await until(async () => (await page.locator('.row').count()) === 11, 'eleven of them');
  await page.locator('.row h2 a').first().click();
  await page.getByRole('heading', { name: /model-39/, level: 1 }).waitFor();
  t.strictSame(problems, []);
});

t.test('one pointer reads all charts at the same moment', NEEDS_BROWSER, async (t) => {
  const folder = t.testdir();
  buildPage(folder);
  const mock = await startMock(folder, castOf('good'));
  t.teardown(() => mock.close());
  const { page, problems } = await openPage(await openBrowser(t), mock.url + IRIS);
  const plots = page.locator('.u-over');
  await plots.first().waitFor();
  await plots.nth(1).hover();
  const moments = page.locator('.chart-at');
  await until(
    async () => (await moments.allTextContents()).every((text) => /^\d\d:\d\d:\d\d$/.test(text)),
    'a moment',
  );
  t.equal(new Set(await moments.allTextContents()).size, 1);
  t.strictSame(problems, []);
});
