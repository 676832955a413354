import type { Path } from '../issue.ts';
import type { RawService } from '../schema.ts';
import type { Report } from '../validate/report.ts';

/** Settings of stickiness that contradict each other or do nothing. */
export function checkSticky(service: RawService, path: Path, report: Report): void {
  const { sticky } = service;
  if (service.precedence === 'nginx' && sticky?.mode !== 'session') {
    report.warn(
      [...path, 'precedence'],
      'changes nothing without pinned sessions',
      'add sticky: { mode: session }, or remove it',
    );
  }
  if (sticky === undefined) return;
  const at = [...path, 'sticky'];
  const by = sticky.by ?? [];
  for (const [i, source] of by.entries()) {
    if (by.indexOf(source) < i) report.error([...at, 'by', i], 'stands in the list twice', 'remove it');
  }
  const hasKey = by.length > 0 || sticky.issueCookie !== undefined;
  if (sticky.mode === 'session' && !hasKey) {
    report.error([...at, 'mode'], 'has no key to remember users by', 'add `by` or `issueCookie`');
  }
  if (sticky.session !== undefined && sticky.mode !== 'session') {
    report.error(
      [...at, 'session'],
      'does nothing without `mode: session`',
      'add mode: session, or remove it',
      'key',
    );
  }
  if (sticky.issueCookie !== undefined && sticky.issueCookie.secret === undefined) {
    report.warn(
      [...at, 'issueCookie'],
      'has no secret, so one is made at start: its users are dealt anew at every start and by every replica',
      'add secret: from an environment variable',
    );
  }
}
