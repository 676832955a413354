import { definitionOf } from '../../config/compile/definition.ts';
import type { Arm, Evidence, Slice } from '../../core/judge/evidence.ts';
import type { About, SavedJudge } from '../../core/judge/saved.ts';
import type { Service } from '../../core/model.ts';
import { type Bench, questionOf, stableOf, versionOf } from './bench.ts';

/** What a bench tells of, for comparison with what was kept; hashed, for rules may hold what is nobody's business. */
export function aboutOf(bench: Bench, service: Service, epoch: string, beganWallMs: number | null): About {
  const compared = [stableOf(service), ...bench.sides.map((side) => versionOf(side, service))];
  return {
    epoch: beganWallMs === null ? definitionOf(epoch) : epoch,
    beganWallMs,
    question: definitionOf([questionOf(bench.judge), service.latencyEdgesMs]),
    versions: definitionOf(
      compared.map((name) => [
        name,
        service.versions.find((version) => version.name === name)?.definition ?? null,
      ]),
    ),
  };
}

/** What is kept of a bench, but for what belongs to others. */
export function savedBench(bench: Bench, about: About): Omit<SavedJudge, 'course' | 'counted'> {
  return {
    about,
    frozen: Object.fromEntries(bench.frozen),
    sides: bench.sides.map(({ variant, collector, failed, notBeforeMs }) => ({
      variant,
      evidence: collector.evidence,
      bins: collector.bins,
      failed,
      notBeforeMs,
    })),
  };
}

export type SavedBench = ReturnType<typeof savedBench>;

/** Whether anything has been counted at all. */
export function hasCounts({ sides }: Bench): boolean {
  return sides.some(({ collector }) => {
    const { slices, late, shadow } = collector.evidence;
    return (
      slices.some(({ canary, stable }) => isCounted(canary) || isCounted(stable)) ||
      late.length > 0 ||
      shadow.agree + shadow.disagree + shadow.incomparable > 0
    );
  });
}

function isCounted({ requests, kpis }: Arm): boolean {
  return requests > 0 || Object.keys(kpis).length > 0;
}

/** Whether nothing but time has passed; arms that changed are other objects. */
export function isSame(a: SavedBench, b: SavedBench): boolean {
  return (
    restOf(a) === restOf(b) && a.sides.every((side, i) => isSameEvidence(side.evidence, b.sides[i]?.evidence))
  );
}

function restOf({ sides, ...rest }: SavedBench): string {
  return JSON.stringify([rest, sides.map(({ evidence: _, ...side }) => side)]);
}

function isSameEvidence(a: Evidence, b: Evidence | undefined): boolean {
  if (b === undefined || a.slices.length !== b.slices.length) return false;
  const isSameSlice = ({ canary, stable }: Slice, i: number) =>
    canary === b.slices[i]?.canary && stable === b.slices[i]?.stable;
  const { slices: _, ...rest } = a;
  const { slices: __, ...others } = b;
  return a.slices.every(isSameSlice) && JSON.stringify(rest) === JSON.stringify(others);
}
