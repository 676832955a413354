import { type ChildProcess, fork } from 'node:child_process';
import { type Cell, type CellResult, runCell } from './cell.ts';
import type { Options } from './options.ts';

/** Runs all cells, in this process or in several; results come in the order of `cells`. */
export async function runCells(
  cells: readonly Cell[],
  options: Pick<Options, 'seed' | 'skipEmpty' | 'processes'>,
  done: (result: CellResult) => void,
): Promise<CellResult[]> {
  const { seed, skipEmpty } = options;
  if (options.processes === 1) {
    return cells.map((cell) => {
      const result = runCell(cell, seed, skipEmpty);
      done(result);
      return result;
    });
  }
  const results: CellResult[] = [];
  let next = 0;
  const take = async () => {
    const child = fork(new URL('./worker.ts', import.meta.url), { execArgv: process.execArgv });
    try {
      while (next < cells.length) {
        const at = next++;
        const result = await ask(child, { cell: cells[at] as Cell, seed, skipEmpty });
        results[at] = result;
        done(result);
      }
    } finally {
      child.kill();
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.processes, cells.length) }, take));
  return results;
}

function ask(
  child: ChildProcess,
  task: { cell: Cell; seed: string; skipEmpty: boolean },
): Promise<CellResult> {
  return new Promise((resolve, reject) => {
    const failed = (code: unknown) => reject(new Error(`the worker of a cell ended: ${String(code)}`));
    child.once('exit', failed);
    child.once('message', (result) => {
      child.off('exit', failed);
      resolve(result as CellResult);
    });
    child.send(task);
  });
}
