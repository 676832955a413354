import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { axeProblems, buildPage, type Look, openBrowser, openPage, overflowPx } from '../browser.ts';
import { castOf } from './cast.ts';
import { startMock } from './mock.ts';

/** A view in a state, drawn in a real browser from made-up data, under the policy of the gateway. */
export interface View {
  readonly name: string;
  readonly state: string;
  readonly hash: string;
  /** There when it is drawn. */
  readonly sign: string;
  arrange?(page: Page): Promise<void>;
}

export type NamedLook = Look & { readonly label: string };

export const LOOKS: readonly NamedLook[] = [
  { label: 'light', theme: 'light' },
  { label: 'dark', theme: 'dark' },
  { label: 'a phone, light', theme: 'light', width: 360, height: 740 },
  { label: 'a phone, dark', theme: 'dark', width: 360, height: 740 },
];

/** Nothing serious for axe-core, nothing to scroll to sideways, no errors, no requests to elsewhere. */
export async function checkViews(
  t: Test,
  views: readonly View[],
  looks: readonly NamedLook[],
): Promise<void> {
  const folder = t.testdir();
  buildPage(folder);
  const browser = await openBrowser(t);
  for (const view of views) {
    await t.test(view.name, async (t) => {
      const mock = await startMock(folder, castOf(view.state));
      t.teardown(() => mock.close());
      for (const look of looks) {
        const { page, problems } = await openPage(browser, mock.url + view.hash, look);
        await page.waitForSelector(view.sign);
        await view.arrange?.(page);
        t.strictSame(await axeProblems(page), [], `${look.label}: accessible`);
        t.equal(await overflowPx(page), 0, `${look.label}: nobody scrolls sideways`);
        t.strictSame(problems, [], `${look.label}: no errors, nothing from outside`);
        await page.context().close();
      }
    });
  }
}
