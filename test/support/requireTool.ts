import { spawnSync } from 'node:child_process';

/**
 * Options for a test that needs a program: where it is missing the test is
 * skipped and says why, unless COALMINE_REQUIRE_ALL=1 asks for a run in which
 * nothing is skipped; then the test runs and fails for want of it.
 *
 *     t.test('…', requireTool('openssl', ['version']), async (t) => { … });
 */
export function requireTool(
  program: string,
  args: readonly string[] = ['--version'],
): { skip: string | false } {
  if (process.env.COALMINE_REQUIRE_ALL === '1') return { skip: false };
  const found = spawnSync(program, args, { stdio: 'ignore', timeout: 10_000 });
  const there = found.error === undefined && found.status === 0;
  return {
    skip: there ? false : `${program} is not installed (COALMINE_REQUIRE_ALL=1 makes this a failure)`,
  };
}
