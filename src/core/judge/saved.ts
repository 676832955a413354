import type { Evidence } from './evidence.ts';

/** What a judge needs to go on in another process with what it knew. Plain data. */
export interface SavedJudge {
  readonly about: About;
  /** Stable's own latency in ms, frozen, by gate name. */
  readonly frozen: Readonly<Record<string, number>>;
  /** The canary, or each variant of an experiment but stable. */
  readonly sides: readonly SavedSide[];
  readonly course: SavedCourse | null;
  /** Feedback that is in the evidence and must not count again, oldest first. */
  readonly counted: readonly CountedBlock[];
}

/** Pieces of feedback that were counted one after the other, in base64. One that is the same object has not changed. */
export interface CountedBlock {
  readonly text: string;
}

/** What evidence tells of. Where any of it differs it says nothing of what is there now. */
export interface About {
  /** The number of the rollout, or a hash of what is compared without one. */
  readonly epoch: string;
  /** Wall clock; tells rollouts of one number apart, where the state of an earlier one was removed. Null without one. */
  readonly beganWallMs: number | null;
  /** A hash of what is asked of the canary, and in which buckets it is counted. */
  readonly question: string;
  /** A hash of what stable and the others are. */
  readonly versions: string;
}

export interface SavedSide {
  /** By name; null: the canary. */
  readonly variant: string | null;
  readonly evidence: Evidence;
  /** Ends of the score bins over the fine histogram; null: not known yet. */
  readonly bins: readonly number[] | null;
  /** Gates that failed: they stay so. */
  readonly failed: readonly string[];
  /** Wall clock; what was answered before belongs to evidence that was given up. */
  readonly notBeforeMs: number;
}

/** How an experiment stands beside its evidence. */
export interface SavedCourse {
  /** A hash of what is compared, and with which judge. */
  readonly about: string;
  /** What each variant gets, 0..1, and since which stage. */
  readonly shares: Readonly<Record<string, number>>;
  readonly firstStage: number;
  readonly elapsedMs: number;
  readonly beganWallMs: number;
  /** Variants that a guardrail took from the users. */
  readonly stops: Readonly<Record<string, SavedStop>>;
  readonly told: string;
}

export interface SavedStop {
  /** ISO 8601. */
  readonly at: string;
  readonly because: string;
}

/** In words, what keeps evidence from being gone on with; null: nothing. */
export function differenceOf(kept: About, now: About): string | null {
  if (kept.epoch !== now.epoch || kept.beganWallMs !== now.beganWallMs) {
    return kept.beganWallMs === null || now.beganWallMs === null
      ? 'who is compared, or with what, has changed'
      : `it is of rollout ${kept.epoch}, and this is ${now.epoch}${kept.epoch === now.epoch ? ' of another beginning' : ''}`;
  }
  if (kept.versions !== now.versions) return 'the versions have changed';
  return kept.question === now.question ? null : 'what is asked of the canary has changed';
}

/**
 * The same as a new process can go on with. Its stages count from 0 again, so those of the one that ended are
 * moved below: all stay apart and in order. A key that failed before may count once more in a stage of the new
 * process, as in any new stage.
 */
export function resumed(saved: SavedJudge): SavedJudge {
  const stages = saved.sides.flatMap(({ evidence }) => evidence.slices.slice(-1)).map(({ stage }) => stage);
  if (stages.length === 0) return { ...saved, course: movedCourse(saved.course, Number.NEGATIVE_INFINITY) };
  const by = -1 - Math.max(...stages);
  return {
    ...saved,
    sides: saved.sides.map((side) => ({ ...side, evidence: movedEvidence(side.evidence, by) })),
    course: movedCourse(saved.course, by),
  };
}

function movedEvidence(evidence: Evidence, by: number): Evidence {
  return { ...evidence, slices: evidence.slices.map((slice) => ({ ...slice, stage: slice.stage + by })) };
}

function movedCourse(course: SavedCourse | null, by: number): SavedCourse | null {
  if (course === null) return null;
  // One that nobody was counted in yet goes on with the first of the new process.
  const moved = course.firstStage + by;
  return { ...course, firstStage: Number.isFinite(moved) ? Math.min(0, moved) : 0 };
}
