import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { axeProblems, buildPage, NEEDS_BROWSER, openBrowser, openPage } from '../support/browser.ts';
import { configOf, type Product, startProduct } from '../support/process.ts';
import { historyOf, rolloutOf, startModel, Users } from '../support/rollout-fleet.ts';
import { until } from '../support/wait.ts';

/** The page before a real gateway: an abort by click and by keys, a gateway that dies and comes back, a token. */

t.setTimeout(110_000);

const HOST = 'svc.example';
const SERVICE = '#/services/svc';

async function started(t: Test): Promise<{ product: Product; config: (adminListen: string) => object }> {
  buildPage();
  const [v1, v2] = await Promise.all([startModel(t), startModel(t)]);
  const config = (listen: string) =>
    configOf(
      {
        svc: {
          match: { host: HOST },
          versions: { v1: { url: v1.url }, v2: { url: v2.url } },
          stable: 'v1',
          canary: 'v2',
          sticky: { by: ['header:x-user-id'] },
          rules: [{ when: { header: { 'x-canary': 'always' } }, use: 'canary' }],
          rollout: { steps: [{ setWeight: 60 }, { pause: {} }, { setWeight: 100 }] },
        },
      },
      { admin: { listen } },
    );
  const product = await startProduct(t, config('127.0.0.1:0'));
  new Users(t, () => product.port, [HOST], 50);
  return { product, config };
}

const takeBack = (page: Page) => page.locator('.answer-act').getByRole('button', { name: 'Take v2 back' });

t.test('an abort by click, and what the history says of it', NEEDS_BROWSER, async (t) => {
  const { product } = await started(t);
  const { page, problems } = await openPage(await openBrowser(t), `${product.adminUrl}/${SERVICE}`);
  await page.getByText('Waits for a person').waitFor();
  await page.locator('.tread[aria-current=step]', { hasText: '60 %' }).waitFor();
  await takeBack(page).click();
  const dialog = page.getByRole('dialog', { name: 'Take v2 back?' });
  await dialog.getByText('v1 serves everyone at once.').waitFor();
  await dialog.getByLabel('Reason').fill('odd answers');
  await dialog.getByLabel('Your name').fill('ada');
  await dialog.getByRole('button', { name: 'Take v2 back' }).click();
  await page.getByText('v2 was taken back by hand', { exact: true }).waitFor();
  t.match(await rolloutOf(product.adminUrl, 'svc'), { status: 'aborted', weight: 0 });
  t.match((await historyOf(product.adminUrl, 'svc')).at(-1), {
    kind: 'aborted',
    actor: 'ada (dashboard)',
    cause: 'aborted by hand: odd answers',
  });
  await page.locator('.entry-aborted', { hasText: 'Aborted by hand: odd answers.' }).waitFor();
  await page.locator('.tread-stop', { hasText: '60 %' }).waitFor();
  t.equal(await takeBack(page).count(), 0, 'there is nobody to take back');

  await page.reload();
  await page.locator('.entry-aborted').waitFor();
  await page
    .locator('.chart', { hasText: 'Requests a second' })
    .getByText(/^v1 \d/)
    .waitFor();
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Retry' }).click();
  await takeBack(page).waitFor();
  t.match(await rolloutOf(product.adminUrl, 'svc'), { status: 'stepping', number: 2 });
  t.strictSame(problems, []);
});

t.test('an abort by keys alone, from the list', NEEDS_BROWSER, async (t) => {
  const { product } = await started(t);
  const { page, problems } = await openPage(await openBrowser(t), `${product.adminUrl}/`);
  await page.locator('.row').waitFor();
  const name = () => page.evaluate('document.activeElement.textContent') as Promise<string>;
  await page.keyboard.press('Tab');
  t.equal(await name(), 'Skip to the content', 'first of all');
  await page.keyboard.press('Enter');
  const passed: string[] = [];
  while (!(await name()).startsWith('Take v2 back') && passed.length < 20) {
    await page.keyboard.press('Tab');
    passed.push(await name());
  }
  t.strictSame(passed, ['svc', 'Take v2 back of svc'], 'nothing else is in between');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  t.equal(await name(), 'Take v2 back of svc', 'back where it was');
  t.match(await rolloutOf(product.adminUrl, 'svc'), { status: 'stepping' }, 'and nothing was done');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.type('by keys');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  t.equal(await name(), 'Take v2 back');
  await page.keyboard.press('Enter');
  await page.getByText('v2 was taken back by hand', { exact: true }).waitFor();
  t.equal(
    await page.evaluate('document.activeElement.id'),
    'content',
    'the focus is not lost with the button',
  );
  t.match((await historyOf(product.adminUrl, 'svc')).at(-1), { actor: 'dashboard', cause: /by keys/ });
  t.strictSame(problems, []);
});

t.test('a gateway that dies, and comes back', NEEDS_BROWSER, async (t) => {
  const { product, config } = await started(t);
  const { page, problems, expectLosses } = await openPage(
    await openBrowser(t),
    `${product.adminUrl}/${SERVICE}`,
  );
  await page.getByText('Waits for a person').waitFor();
  await page.evaluate('window.notReloaded = true');
  expectLosses();
  product.child.kill('SIGKILL');
  const banner = page.getByRole('alert').getByText(/Data is stale since \d\d:\d\d:\d\d/);
  await banner.waitFor();
  t.equal(await page.locator('main.stale').count(), 1, 'and what it shows is greyed');
  t.strictSame(await axeProblems(page), []);
  await takeBack(page).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take v2 back' }).click();
  await page.getByText('It was not done: the gateway cannot be reached').waitFor();
  await page.keyboard.press('Escape');

  const { host } = new URL(product.adminUrl);
  const again = await startProduct(t, config(host), { folder: product.folder });
  await banner.waitFor({ state: 'detached' });
  t.equal(await page.evaluate('window.notReloaded'), true, 'nobody reloaded it');
  await takeBack(page).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take v2 back' }).click();
  await page.getByText('v2 was taken back by hand', { exact: true }).waitFor();
  t.match(await rolloutOf(again.adminUrl, 'svc'), { status: 'aborted' });
  t.strictSame(problems, []);
});

t.test('a token is asked for, refused, taken, and kept by the tab alone', NEEDS_BROWSER, async (t) => {
  buildPage();
  const model = await startModel(t);
  const product = await startProduct(
    t,
    configOf(
      { svc: { match: { host: HOST }, versions: { v1: { url: model.url } }, stable: 'v1' } },
      { admin: { listen: '127.0.0.1:0', token: 'not-a-real-token' } },
    ),
  );
  const { page, problems, expectLosses } = await openPage(await openBrowser(t), `${product.adminUrl}/`);
  expectLosses();
  await page.getByLabel('Token').fill('a wrong one');
  t.strictSame(await axeProblems(page), []);
  await page.getByRole('button', { name: 'Let me in' }).click();
  await page.getByText('This token was refused.').waitFor();
  await page.getByLabel('Token').fill('not-a-real-token');
  await page.keyboard.press('Enter');
  await page.locator('.row', { hasText: 'svc' }).waitFor();
  await page.reload();
  await page.locator('.row', { hasText: 'svc' }).waitFor();
  t.notMatch(
    await page.evaluate('JSON.stringify({ ...localStorage }) + document.cookie'),
    /not-a-real-token/,
  );
  await page.locator('.row h2 a').click();
  await page.getByText('Nothing is rolled out').waitFor();
  t.strictSame(problems, []);
});

t.test('a config that is refused, and one that is right again', NEEDS_BROWSER, async (t) => {
  const { product, config } = await started(t);
  const { page, problems } = await openPage(await openBrowser(t), `${product.adminUrl}/${SERVICE}`);
  await page.getByText('Waits for a person').waitFor();
  product.configure('services: 5');
  await page.getByText(/The config was refused at/).waitFor();
  await page.locator('.reload-message', { hasText: 'services' }).waitFor();
  product.configure(config('127.0.0.1:0'));
  await page.getByText(/The config was refused at/).waitFor({ state: 'detached' });
  await until(async () => (await page.locator('.tread').count()) > 0, 'the rollout to be there');
  t.strictSame(problems, []);
});

t.test('why a user gets what, now and later', NEEDS_BROWSER, async (t) => {
  const { product } = await started(t);
  const { page, problems } = await openPage(await openBrowser(t), `${product.adminUrl}/${SERVICE}/explain`);
  await page.getByText('Left to chance').waitFor();
  await page.getByLabel('User key').fill('ada');
  await page.locator('.lines-bucket').waitFor();
  t.match(
    await page.locator('.explain-answer .lead').textContent(),
    /key "ada" from header:x-user-id has bucket \d+/,
  );
  t.ok((await page.locator('.line').count()) > 1, 'steps ahead are told as well');
  t.match(page.url(), /explain\?key=ada$/, 'the question can be sent to somebody');
  await page.getByLabel('Headers').fill('x-canary: always');
  await page.locator('.explain-version', { hasText: 'v2' }).waitFor();
  await page.locator('.explain-facts', { hasText: /Rule.*rules?/ }).waitFor();
  await page.getByLabel('Headers').fill('no colon');
  await page.getByText('header must be "name: value"').waitFor();
  t.strictSame(
    problems.filter((problem) => !problem.includes('400 (Bad Request)')),
    [],
  );
});
