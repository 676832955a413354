import { ratioTilt } from '../kernels/ratio.ts';
import {
  addToRestarts,
  assignRestarts,
  type Restarts,
  restartsE,
  restartsWithLate,
  startRestarts,
} from '../kernels/restarts.ts';
import type { Tilt } from '../kernels/tilt.ts';

/** Evidence, restarted with every slice, that events come more (or less) often on the canary than on stable. */
export interface Versus {
  readonly multiples: readonly number[];
  readonly restarts: Restarts;
  /** The tilt for the newest share and ratio; they change with the stage only. No sum: it is computed from those. */
  w: number;
  rho0: number;
  tilt: Tilt;
}

export function startVersus(multiples: readonly number[]): Versus {
  return {
    multiples,
    restarts: startRestarts(multiples.length),
    w: 0.5,
    rho0: 1,
    tilt: ratioTilt(0.5, 1, multiples),
  };
}

export function assignVersus(to: Versus, from: Versus): void {
  assignRestarts(to.restarts, from.restarts);
}

/** `kc` and `ks` events on canary and stable in the slice `index`, against the ratio `rho0`. */
export function addToVersus(
  versus: Versus,
  at: { index: number; w: number; rho0: number },
  kc: number,
  ks: number,
): void {
  if (at.w !== versus.w || at.rho0 !== versus.rho0) {
    versus.w = at.w;
    versus.rho0 = at.rho0;
    versus.tilt = ratioTilt(at.w, at.rho0, versus.multiples);
  }
  addToRestarts(versus.restarts, at.index, versus.tilt, kc, ks);
}

/** @param late log-likelihood ratios of events that no slice has, by grid point; null: there are none */
export function versusE({ restarts }: Versus, late: ArrayLike<number> | null = null): number {
  return late === null ? restartsE(restarts) : restartsWithLate(restarts, late);
}
