import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { buildPage, NEEDS_BROWSER, openBrowser, openPage } from '../support/browser.ts';
import { within } from '../support/wait.ts';

/** The demo's rollout as a person watches it, five times as fast. */

t.setTimeout(110_000);

const SCRIPT = fileURLToPath(new URL('../demo/support/run-real-demo.ts', import.meta.url));

/** Resolves with the address that the demo prints. */
async function startDemo(t: Test, fault: string): Promise<string> {
  buildPage();
  const options = JSON.stringify({ port: '0', adminPort: '0', rate: '200', fault });
  const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, options], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const exit = once(child, 'close');
  t.teardown(async () => {
    child.kill('SIGINT');
    await exit;
  });
  let out = '';
  const address = new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      const found = /^ {2}dashboard {2}(http:\S+)$/m.exec(out);
      if (found !== null) resolve(found[1] as string);
    });
    void exit.then(() => reject(new Error(`the demo ended: ${out}`)));
  });
  return within(address, 'the address of the dashboard', 30_000);
}

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

t.test('a fault is seen and taken back, and the page says by what', NEEDS_BROWSER, async (t) => {
  const url = await startDemo(t, 'errors');
  const { page, problems } = await openPage(await openBrowser(t), `${url}#/services/iris-api`);
  await page.locator('.answer-harm').getByText('v2 failed, and was taken back').waitFor({ timeout: 60_000 });
  t.match(await page.locator('.answer-harm .answer-text').textContent(), /v2 failed \d+ of \d+|success-rate/);
  await page.locator('.entry-aborted').waitFor();
  await page.locator('.tread-stop').waitFor();
  await page.goto(url);
  await page.locator('.rank-harm', { hasText: 'iris-api' }).waitFor();
  t.strictSame(problems, []);
});

t.test('why a user gets what, now and later', NEEDS_BROWSER, async (t) => {
  const url = await startDemo(t, 'good');
  const { page, problems } = await openPage(await openBrowser(t), `${url}#/services/iris-api/explain`);
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
