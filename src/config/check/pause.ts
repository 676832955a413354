import { DEFAULTS } from '../defaults.ts';
import type { Path } from '../issue.ts';
import { argoMsOf } from '../quantity.ts';
import type { RawService, RawStep } from '../schema.ts';
import type { Report } from '../validate/report.ts';

/** The two kinds of pauses: for a time, and until something is proven. */
export function checkPause(
  pause: NonNullable<RawStep['pause']>,
  at: Path,
  service: RawService,
  report: Report,
): void {
  const { until, duration, atMost, onTimeout } = pause;
  if (until === undefined) {
    for (const key of ['atLeast', 'atMost', 'onTimeout'] as const) {
      if (pause[key] === undefined) continue;
      report.error([...at, key], 'is for until: evidence only', 'add until: evidence, or remove it', 'key');
    }
    return;
  }
  if (duration !== undefined) {
    report.error([...at, 'duration'], 'stands beside `until`', 'write atLeast or atMost instead', 'key');
  }
  if (service.gates === undefined) {
    const fix = 'add gates: to the service, such as { successRate: { atLeast: 0.99 } }';
    report.error([...at, 'until'], 'needs gates, which tell what is proven', fix);
  }
  const atLeast = pause.atLeast ?? DEFAULTS.evidencePause.atLeast;
  if (atMost !== undefined && argoMsOf(atMost) < argoMsOf(atLeast)) {
    const fix = `write ${atLeast} or more, or lower atLeast`;
    report.error([...at, 'atMost'], 'is shorter than `atLeast`', fix);
  }
  if (onTimeout !== undefined && atMost === undefined) {
    report.error([...at, 'onTimeout'], 'never comes without `atMost`', 'add atMost: 1h, or remove it', 'key');
  }
}
