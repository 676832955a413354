import { type Cell, cellsOf } from './cell.ts';

/** A busy and a quiet cell of each scenario and a ramp: ten seconds. */
const QUICK: readonly (readonly [weight: number | null, ratePerS: number])[] = [
  [1, 100],
  [5, 100],
  [null, 100],
];

export function quickCells(only: readonly string[], runs: number): Cell[] {
  return cellsOf(only, runs).filter((cell) =>
    QUICK.some(([weight, ratePerS]) => cell.weight === weight && cell.ratePerS === ratePerS),
  );
}
