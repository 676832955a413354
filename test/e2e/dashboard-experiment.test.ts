import t from 'tap';
import { axeProblems, buildPage, NEEDS_BROWSER, openBrowser, openPage } from '../support/browser.ts';
import { configOf, startProduct } from '../support/process.ts';
import { api, KEYS, startModel, Users } from '../support/rollout-fleet.ts';
import { until } from '../support/wait.ts';

/** An A/B test of a real gateway, as the page shows it. */

t.setTimeout(60_000);

t.test('an experiment under way', NEEDS_BROWSER, async (t) => {
  buildPage();
  const [plain, ranked] = await Promise.all([startModel(t), startModel(t)]);
  const product = await startProduct(
    t,
    configOf(
      {
        search: {
          match: { host: 'svc.example' },
          versions: { plain: { url: plain.url }, ranked: { url: ranked.url } },
          stable: 'plain',
          canary: 'ranked',
          weight: 50,
          sticky: { by: ['header:x-user-id'] },
          gates: { successRate: { atLeast: 0.9 } },
          experiment: { kpi: 'click', alpha: 0.05 },
        },
      },
      { kpi: { secret: 'a secret of this test, long enough' } },
    ),
  );
  new Users(t, () => product.port, ['svc.example'], 100);
  const { page, problems } = await openPage(await openBrowser(t), `${product.adminUrl}/`);
  await page.locator('.row', { hasText: 'Experiment: goes on' }).waitFor();
  await page.locator('.row h2 a').click();
  await page.getByRole('link', { name: 'A/B test' }).click();
  await page.getByRole('heading', { name: 'Which is better for click?' }).waitFor();
  await page.getByText('Not decided yet').waitFor();
  const told = await api(
    product.adminUrl,
    '/feedback',
    KEYS.slice(0, 20).map((key) => ({ kpi: 'click', value: 1, service: 'search', key })),
  );
  t.equal(told.status, 200);
  const row = page.locator('.variants tr', { hasText: 'ranked' });
  const converted = page.locator('.variants tbody td:nth-of-type(4)');
  await until(
    async () => (await converted.allTextContents()).every((text) => Number(text) > 0),
    'users of both variants to have clicked',
    30_000,
  );
  t.match(await row.textContent(), /50 %/);
  t.match(await row.textContent(), /nothing against it|all pass|cannot be told/);
  await page.getByText('Sample ratio').waitFor();
  await page.locator('.plot canvas').first().waitFor();
  t.strictSame(await axeProblems(page), []);
  t.strictSame(problems, []);
});
