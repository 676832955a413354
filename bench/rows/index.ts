import type { Bench } from '../lib/bench.ts';
import type { RowName } from '../lib/options.ts';
import type { Section } from '../lib/table.ts';
import { judgeRow } from '../micro/judge.ts';
import { microRow } from '../micro/split.ts';
import { bodiesRow } from './bodies.ts';
import { idleRow } from './idle.ts';
import { largeRow } from './large.ts';
import { loadRow } from './load.ts';
import { scaleRow } from './scale.ts';
import { soakRow } from './soak.ts';
import { stallRow } from './stall.ts';

export const ROW_FUNCTIONS: Record<RowName, (bench: Bench) => Promise<Section>> = {
  load: loadRow,
  bodies: bodiesRow,
  idle: idleRow,
  scale: scaleRow,
  stall: stallRow,
  soak: soakRow,
  large: largeRow,
  micro: microRow,
  judge: judgeRow,
};
