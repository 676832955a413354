import { type Cell, runCell } from './cell.ts';

/** A process of its own for some of the cells: takes one, sends its result back, takes the next. */
process.on('message', ({ cell, seed, skipEmpty }: { cell: Cell; seed: string; skipEmpty: boolean }) => {
  process.send?.(runCell(cell, seed, skipEmpty));
});
