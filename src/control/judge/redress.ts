import { carryStages } from '../../config/diff.ts';
import type { Holder } from '../holder.ts';
import type { Board } from './board.ts';

/** Makes the data path count what the judge wants of a service without a rollout; with one, that does it. */
export function redress(holder: Holder, board: Pick<Board, 'dress'>, name: string): void {
  const before = holder.split();
  const { revision: _, ...rest } = before;
  const services = before.services.map((one) => (one.name === name ? board.dress(one, null) : one));
  holder.swap(carryStages(before, { ...rest, services }));
}
