import type { GateView } from '../../admin/contract.ts';

/** A gate's bar: from the middle to the left towards a rollback, to the right towards passing. */
export interface EvidenceBar {
  /** 0..1 of each half. */
  readonly harm: number;
  readonly pass: number;
  readonly decided: 'harm' | 'pass' | null;
}

export function evidenceBar({ state, harm, pass }: Pick<GateView, 'state' | 'harm' | 'pass'>): EvidenceBar {
  return {
    harm: state === 'FAIL' ? 1 : extent(harm),
    pass: state === 'PASS' ? 1 : extent(pass),
    decided: state === 'FAIL' ? 'harm' : state === 'PASS' ? 'pass' : null,
  };
}

/** Null is more than a number can say. What is not decided is not drawn as if it were. */
function extent({ share, needed }: GateView['harm']): number {
  if (share === null) return needed === null ? 0 : 0.98;
  return Math.min(0.98, Math.max(0, share));
}
