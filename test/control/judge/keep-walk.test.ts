import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import { judge } from '../../../src/core/judge/judge.ts';
import { createEvidenceStore } from '../../support/evidence-store.ts';
import { type JudgeScene, judgeScene, plan, serviceJudge, successRate } from '../judge-scene.ts';
import { iris } from '../support.ts';

const NAME = 'iris-api';
const CLICKS = { kind: 'kpi', name: 'ctr', kpi: 'click', within: 0.05 } as const;
const JUDGES = [serviceJudge({ plan: plan(successRate, CLICKS), experiment: null })];

type Step =
  | { readonly kind: 'visits'; readonly count: number; readonly failed: boolean }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'weight'; readonly bp: number }
  | { readonly kind: 'clicks'; readonly from: number; readonly count: number }
  | { readonly kind: 'save' | 'look' | 'restart' | 'kill' };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('visits' as const),
        count: fc.integer({ min: 1, max: 40 }),
        failed: fc.boolean(),
      }),
    },
    fc.record({ kind: fc.constant('wait' as const), seconds: fc.constantFrom(1, 2, 61, 700) }),
    fc.record({ kind: fc.constant('weight' as const), bp: fc.constantFrom(500, 5_000, 10_000) }),
    fc.record({ kind: fc.constant('clicks' as const), from: fc.nat(99), count: fc.nat(40) }),
    fc.record({
      kind: fc.constantFrom('save' as const, 'look' as const, 'restart' as const, 'kill' as const),
    }),
  ),
  { maxLength: 40 },
);

/** One service over any number of processes. */
class Lives {
  readonly #store = createEvidenceStore();
  /** Every prediction that was answered, and those that a click was reported of. */
  readonly made: string[] = [];
  readonly clicked = new Set<string>();
  scene: JudgeScene;
  weightBp = 5_000;
  #users = 0;

  constructor() {
    this.scene = this.#begin(0);
  }

  #begin(startMs: number): JudgeScene {
    return judgeScene([iris(this.weightBp)], JUDGES, { store: this.#store, startMs });
  }

  async again(): Promise<void> {
    this.scene = this.#begin(this.scene.now.ms + 1_000);
    await this.scene.keep.load([NAME]);
  }

  async save(): Promise<void> {
    this.scene.now.ms += 5_000;
    this.scene.keep.tick();
    for (let i = 0; i < 10; i++) await turn();
  }

  visit(failed: boolean): void {
    // Some come back.
    const key = `user-${this.#users++ % 150}`;
    this.made.push(this.scene.visit(key, { failed }).id);
  }

  async click(ids: readonly string[]) {
    return this.scene.feedback.take(ids.map((id) => ({ id, kpi: 'click', value: 1 })));
  }

  get counted(): { readonly requests: number; readonly events: number } {
    const { slices, late } = this.scene.board.evidence(NAME) ?? { slices: [], late: [] };
    const arms = slices.flatMap(({ canary, stable }) => [canary, stable]);
    const kpis = [...arms.map((arm) => arm.kpis), ...late.flatMap(({ canary, stable }) => [canary, stable])];
    return {
      requests: arms.reduce((sum, { requests }) => sum + requests, 0),
      events: kpis.reduce((sum, { click }) => sum + (click?.events ?? 0), 0),
    };
  }
}

async function walk(made: readonly Step[]): Promise<void> {
  const lives = new Lives();
  await lives.scene.keep.load([NAME]);
  let wasKilled = false;
  lives.scene.second();
  for (const step of made) {
    const { scene } = lives;
    // A process looks within its first second; what is older by then, or of other shares, it does not go by.
    const isSoon = ['visits', 'clicks', 'look', 'kill'].includes(step.kind);
    if (scene.board.bench(NAME) === null && !isSoon) scene.second();
    if (step.kind === 'visits') for (let i = 0; i < step.count; i++) lives.visit(step.failed);
    else if (step.kind === 'wait') {
      scene.now.ms += step.seconds * 1_000;
      scene.second();
    } else if (step.kind === 'weight') {
      lives.weightBp = step.bp;
      scene.reload([iris(step.bp)], JUDGES);
    } else if (step.kind === 'clicks') {
      const ids = lives.made.slice(step.from, step.from + step.count);
      await lives.click(ids);
      for (const id of ids) lives.clicked.add(id);
    } else if (step.kind === 'save') await lives.save();
    else if (step.kind === 'look') scene.second();
    else {
      if (step.kind === 'restart') await scene.keep.close(1_000);
      else wasKilled = true;
      await lives.again();
    }
    check(lives, wasKilled);
  }
  lives.scene.second();
  lives.scene.second();
  check(lives, wasKilled);
  if (!wasKilled) assert.equal(lives.counted.requests, lives.made.length);
  const { board } = lives.scene;
  const [evidence, bench] = [board.evidence(NAME), board.bench(NAME)];
  assert.ok(evidence !== null && bench !== null);
  const context = { ratePerS: 0, nextW: null, latched: [] };
  assert.equal(board.verdict(NAME)?.M, judge(bench.plan, evidence, context).M, 'as if it were one process');
}

function check(lives: Lives, wasKilled: boolean): void {
  const { board, log } = lives.scene;
  const evidence = board.evidence(NAME);
  const { requests, events } = lives.counted;
  assert.ok(requests <= lives.made.length, `${requests} of ${lives.made.length} requests`);
  assert.ok(events <= lives.clicked.size, `${events} of ${lives.clicked.size} clicks`);
  assert.deepEqual(evidence?.problems, []);
  if (!wasKilled)
    assert.deepEqual(
      log.lines.filter(({ level }) => level === 'warn'),
      [],
    );
  const bench = board.bench(NAME);
  const [side] = bench?.sides ?? [];
  if (bench == null || side?.verdict == null || evidence === null) return;
  assert.ok(Number.isFinite(side.verdict.M));
  for (const slice of evidence.slices) {
    assert.ok(slice.spanMs >= 0 && slice.w > 0);
    for (const { requests, errors, firstErrors, keys, kpis } of [slice.canary, slice.stable]) {
      assert.ok(errors <= requests && firstErrors <= errors && keys <= requests);
      assert.ok((kpis.click?.firsts ?? 0) <= (kpis.click?.events ?? 0));
    }
  }
}

t.test('whenever a process ends, what it saved goes on, and nothing counts twice', async () => {
  await fc.assert(fc.asyncProperty(steps, walk), { numRuns: 60 });
});
