import t from 'tap';
import { NEEDS_BROWSER, openBrowser, openPage } from '../support/browser.ts';
import { startDemo } from '../support/dashboard/demo.ts';

/** The demo's rollout as a person watches it, five times as fast. */

t.setTimeout(110_000);

t.test('watched to the end', NEEDS_BROWSER, async (t) => {
  const url = await startDemo(t, 'good');
  const { page, problems } = await openPage(await openBrowser(t), url);
  await page.locator('.row h2 a', { hasText: 'iris-api' }).click();
  for (const weight of ['5 %', '25 %', '50 %']) {
    await page
      .locator('.tread[aria-current=step]', { hasText: new RegExp(`^${weight}`) })
      .waitFor({ timeout: 60_000 });
  }
  await page.locator('.answer-harm').getByText('v2 is the new version').waitFor({ timeout: 60_000 });
  await page.locator('.serves li', { hasText: 'v2' }).getByText('100 %').waitFor();
  t.equal(await page.locator('.tread-done').count(), 4);
  t.equal(await page.locator('.gate').count(), 5);
  await page.locator('.entry-completed').waitFor();
  for (const name of ['setosa', 'versicolor', 'virginica']) {
    t.match(await page.locator('.classes tr', { hasText: name }).textContent(), /\d+(\.\d)? %.*pt$/, name);
  }
  t.match(await page.locator('.model-facts').textContent(), /Shadow agreement\d/);
  await page.getByRole('link', { name: '24 h' }).click();
  await page.locator('.plot canvas').first().waitFor();
  t.strictSame(problems, []);
});
