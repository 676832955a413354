import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';
import { requireTool } from './requireTool.ts';

/** A real browser, without a window; Debian's, so that nothing is downloaded. */

const EXECUTABLE = '/usr/bin/chromium';

export const NEEDS_BROWSER = requireTool(EXECUTABLE);

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const BUILD = fileURLToPath(new URL('../../src/dashboard/build.mjs', import.meta.url));

/** Bundles the page, to where a gateway takes it from or into a folder. */
export function buildPage(...folder: [] | [string]): void {
  execFileSync(process.execPath, [BUILD, ...folder], { env: { ...process.env, NODE_OPTIONS: '' } });
}

export async function openBrowser(t: Test): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ARGS });
  t.teardown(() => browser.close());
  return browser;
}

export interface Look {
  readonly theme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  /** What the browser takes for now, in UTC; for pictures that are the same each time. */
  readonly nowMs?: number;
}

/** A page, and what it did that no page of ours may do. */
export interface Watched {
  readonly page: Page;
  /** Errors of the console and of scripts, and requests to elsewhere. */
  readonly problems: readonly string[];
  /** What it complains of from now on is the test's wish: a gateway that is gone makes every browser complain. */
  expectLosses(): void;
}

export async function openPage(browser: Browser, url: string, look: Look = {}): Promise<Watched> {
  const { theme = 'light', width = 1280, height = 900 } = look;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: 'reduce',
    ...(look.nowMs === undefined ? {} : { timezoneId: 'UTC' }),
  });
  if (look.nowMs !== undefined) await context.clock.install({ time: look.nowMs });
  const page = await context.newPage();
  const problems: string[] = [];
  let lossesExpected = false;
  const { origin } = new URL(url);
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    if (lossesExpected && message.text().startsWith('Failed to load resource')) return;
    problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`script: ${error.message}`));
  page.on('request', (request) => {
    const target = new URL(request.url());
    if (target.origin !== origin && target.protocol !== 'data:') problems.push(`outside: ${request.url()}`);
  });
  await page.goto(url);
  return {
    page,
    problems,
    expectLosses: () => {
      lossesExpected = true;
    },
  };
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds that is serious or critical, a line each. */
export async function axeProblems(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found = (await page.evaluate(
    'axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)',
  )) as {
    id: string;
    impact: string | null;
    help: string;
    nodes: { html: string; failureSummary?: string }[];
  }[];
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, help, nodes }) =>
      nodes.map(
        ({ html, failureSummary }) => `${id}: ${help}: ${html.slice(0, 160)}: ${failureSummary ?? ''}`,
      ),
    );
}

/** How far the page is wider than its window, in pixels; 0: nobody has to scroll sideways. */
export function overflowPx(page: Page): Promise<number> {
  return page.evaluate(
    'Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)',
  ) as Promise<number>;
}
