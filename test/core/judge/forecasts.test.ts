import t from 'tap';
import { emptyEvidence } from '../../../src/core/judge/evidence.ts';
import { judge } from '../../../src/core/judge/judge.ts';
import {
  AGREE,
  CLICKS,
  contextOf,
  EDGES_MS,
  evidenceOf,
  failing,
  planOf,
  SUCCESS,
  SURE,
  sliceOf,
} from './stream.ts';

/** What a gate says of its future, and where it has none. */

const pairs = (agree: number, incomparable: number) => ({
  ...emptyEvidence(EDGES_MS),
  shadow: { agree, disagree: 0, refused: 0, incomparable },
});

t.test('a shadow that never answers is an error, and not three seconds away', async (t) => {
  const deaf = judge(planOf(AGREE), pairs(0, 1_000), contextOf({ nextW: 0.05 }));
  t.equal(deaf.state, 'ERROR');
  t.match(deaf.text, /1,000 pairs could not be compared; no mirrored requests could be compared/);
  t.notOk(deaf.advance.ready);
  const young = judge(planOf(AGREE), pairs(0, 100), contextOf({ nextW: 0.05 }));
  t.match(young.gates[0], { state: 'CONTINUE', etaMs: null });
  t.notMatch(young.advance.why, /at this traffic/);
});

t.test('where some pairs cannot be compared it takes longer', async (t) => {
  const etaOf = (incomparable: number) =>
    judge(planOf(AGREE), pairs(30, incomparable), contextOf()).gates[0]?.etaMs ?? 0;
  t.ok(Math.abs(etaOf(90) / etaOf(0) - 4) < 1e-9, 'one in four');
  const known = judge(planOf(AGREE), pairs(30, 90), contextOf({ pairsPerS: 2 })).gates[0];
  const { have = 0, need = null } = known?.samples ?? {};
  t.equal(known?.etaMs, (((need ?? 0) - have) / 2) * 1_000, 'by what comes, where that is known');
});

t.test('once a gate has failed nobody says when the others would decide', async (t) => {
  const failed = evidenceOf(sliceOf(failing(60, 300), failing(0, 5_700)));
  const verdict = judge(planOf(SUCCESS, CLICKS), failed, contextOf());
  t.equal(verdict.state, 'FAIL');
  t.match(verdict.gates[1], {
    state: 'CONTINUE',
    etaMs: null,
    text: /; undecided until the end; evidence 1 against the 200 needed for a rollback$/,
  });
});

t.test('of nothing nobody says that it is beyond the threshold', async (t) => {
  const none = evidenceOf(sliceOf(failing(0, 100), failing(0, 1_900)));
  t.match(judge(planOf(SURE), none, contextOf()).gates[0]?.text, /; no answers yet$/);
});
