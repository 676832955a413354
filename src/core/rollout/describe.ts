import { assertNever } from '../model.ts';
import type { Step } from './plan.ts';

/** A step in the words of its config: `setWeight 5`, `pause 5m`. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'setWeight':
      return `setWeight ${step.weightBp / 100}`;
    case 'pause':
      return step.durationMs === null ? 'pause' : `pause ${durationText(step.durationMs)}`;
    case 'evidence': {
      const least = step.atLeastMs > 0 ? [`at least ${durationText(step.atLeastMs)}`] : [];
      const most = step.atMostMs === null ? [] : [`at most ${durationText(step.atMostMs)}`];
      return ['pause until evidence', ...least, ...most].join(', ');
    }
    case 'analysis':
      return `analysis ${step.analysis.metrics.map((metric) => metric.name).join(', ')}`;
    case 'experiment':
      return `experiment ${step.templates.map(({ name, weightBp }) => `${name} ${weightBp / 100}`).join(', ')}`;
    case 'setHeaderRoute':
      return `setHeaderRoute ${step.name}${step.when === null ? ' (removed)' : ''}`;
    case 'setMirrorRoute':
      return `setMirrorRoute ${step.name} ${step.when === null ? '(removed)' : step.percentBp / 100}`;
    case 'setMirror':
      return `setMirror ${step.percentBp / 100}`;
    case 'setScope':
      return `setScope ${step.label}`;
    case 'setCanaryScale':
      return 'setCanaryScale (not applicable)';
    default:
      return assertNever(step);
  }
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** `5m`, `1h30m`, `250ms`; whole units only, so that it reads as it was written. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))}ms`;
  let rest = Math.round(ms / 1_000) * 1_000;
  let text = '';
  for (const [unit, size] of UNITS) {
    const whole = Math.floor(rest / size);
    if (whole > 0) text += `${whole}${unit}`;
    rest -= whole * size;
  }
  return text;
}
