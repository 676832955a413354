import t from 'tap';
import { NEEDS_BROWSER, openBrowser, openPage } from '../support/browser.ts';
import { startDemo } from '../support/dashboard/demo.ts';

/** The demo's bad version as a person watches it go. */

t.setTimeout(110_000);

t.test('a fault is seen and taken back, and the page says by what', NEEDS_BROWSER, async (t) => {
  const url = await startDemo(t, 'errors');
  const { page, problems } = await openPage(await openBrowser(t), `${url}#/services/iris-api`);
  await page.locator('.answer-harm').getByText('v2 failed, and was taken back').waitFor({ timeout: 60_000 });
  t.match(
    await page.locator('.answer-harm .answer-text').textContent(),
    /v2 (failed|answered) \d+ of \d+|success-rate/,
  );
  await page.locator('.entry-aborted').waitFor();
  await page.locator('.tread-stop').waitFor();
  await page.goto(url);
  await page.locator('.rank-harm', { hasText: 'iris-api' }).waitFor();
  t.strictSame(problems, []);
});
