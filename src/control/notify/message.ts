import { assertNever } from '../../core/model.ts';
import type { NotifyKind } from '../../core/rollout/plan.ts';

/** What people are told of. */
export interface NotifyMessage {
  readonly kind: NotifyKind;
  readonly service: string;
  /** Of the rollout. */
  readonly number: number;
  readonly stable: string;
  readonly canary: string;
  /** 0-based; null outside the steps. */
  readonly step: number | null;
  readonly steps: number;
  /** Percent in force for the canary. */
  readonly weight: number;
  /** A sentence. */
  readonly cause: string;
  /** `coalmine`, or who asked. */
  readonly actor: string;
  readonly evidence: readonly string[];
  readonly wallMs: number;
  /** The gateway's name, where several send to one place. */
  readonly gateway?: string;
}

/** Such as `iris-api: v2 aborted`. */
export function titleOf({ kind, service, canary }: NotifyMessage): string {
  switch (kind) {
    case 'started':
      return `${service}: rollout of ${canary} started`;
    case 'step':
      return `${service}: next step for ${canary}`;
    case 'paused':
      return `${service}: rollout of ${canary} paused`;
    case 'aborted':
      return `${service}: rollout of ${canary} aborted`;
    case 'completed':
      return `${service}: rollout of ${canary} completed`;
    default:
      return assertNever(kind);
  }
}

/** Steps as people count them; null outside the steps. */
export function stepOf({ step, steps }: NotifyMessage): string | null {
  return step === null || step < 0 ? null : `${Math.min(step + 1, steps)} of ${steps}`;
}
