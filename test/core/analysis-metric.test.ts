import t from 'tap';
import {
  addMeasurement,
  assess,
  effectiveCount,
  newMetric,
  worstOf,
} from '../../src/core/analysis/metric.ts';
import type { MetricPlan } from '../../src/core/analysis/plan.ts';
import type { AnalysisPhase, MeasurementPhase, MetricState } from '../../src/core/analysis/state.ts';
import { type Letter, metricPlan } from './analysis-support.ts';

const PHASES: Record<Letter, MeasurementPhase> = {
  S: 'Successful',
  F: 'Failed',
  I: 'Inconclusive',
  E: 'Error',
  N: 'NoData',
};

function measured(plan: MetricPlan, letters: string): MetricState {
  return [...letters].reduce(
    (metric, letter, i) =>
      addMeasurement(plan, metric, {
        phase: PHASES[letter as Letter],
        value: '',
        message: `measurement ${i}`,
        atMs: i * 1000,
        wallMs: i,
      }),
    newMetric(plan, 0),
  );
}

type Row = readonly [plan: Partial<MetricPlan>, letters: string, phase: AnalysisPhase, message?: string];

const EVERY_MINUTE = { intervalMs: 60_000 };

const table: Record<string, readonly Row[]> = {
  'neither count nor interval: one measurement': [
    [{}, '', 'Pending'],
    [{}, 'S', 'Successful', ''],
    [{ count: 0 }, 'S', 'Successful'],
  ],
  'an interval alone: no end': [
    [EVERY_MINUTE, 'S'.repeat(100), 'Running'],
    [{ ...EVERY_MINUTE, count: 0 }, 'S'.repeat(100), 'Running'],
  ],
  'at the count it is Successful': [
    [{ ...EVERY_MINUTE, count: 3 }, 'SS', 'Running'],
    [{ ...EVERY_MINUTE, count: 3 }, 'SSS', 'Successful'],
    [{ ...EVERY_MINUTE, count: 3, failureLimit: 1 }, 'FSS', 'Successful'],
    [{ ...EVERY_MINUTE, count: 3, inconclusiveLimit: 1 }, 'SIS', 'Successful'],
  ],
  'errors and no data do not count towards the count': [
    [{ ...EVERY_MINUTE, count: 2 }, 'SE', 'Running'],
    [{ ...EVERY_MINUTE, count: 2 }, 'SES', 'Successful'],
    [{ ...EVERY_MINUTE, count: 2 }, 'SNNNNNNNNNN', 'Running'],
    [{}, 'N', 'Running'],
    [{}, 'ENS', 'Successful'],
  ],
  'failureLimit trips when it is exceeded': [
    [EVERY_MINUTE, 'F', 'Failed', 'failed (1) > failureLimit (0)'],
    [{ ...EVERY_MINUTE, failureLimit: 3 }, 'FFF', 'Running'],
    [{ ...EVERY_MINUTE, failureLimit: 3 }, 'FFFF', 'Failed', 'failed (4) > failureLimit (3)'],
    [{ ...EVERY_MINUTE, failureLimit: 3 }, 'FSFNFESF', 'Failed'],
    [{ ...EVERY_MINUTE, failureLimit: 1, count: 2 }, 'FF', 'Failed'],
  ],
  'a failureLimit of -1 is off': [
    [{ ...EVERY_MINUTE, failureLimit: -1 }, 'F'.repeat(50), 'Running'],
    [{ ...EVERY_MINUTE, failureLimit: -1, count: 3 }, 'FFF', 'Successful'],
  ],
  'inconclusiveLimit trips when it is exceeded': [
    [EVERY_MINUTE, 'I', 'Inconclusive', 'inconclusive (1) > inconclusiveLimit (0)'],
    [{ ...EVERY_MINUTE, inconclusiveLimit: 2 }, 'ISI', 'Running'],
    [{ ...EVERY_MINUTE, inconclusiveLimit: 2 }, 'ISII', 'Inconclusive'],
  ],
  'consecutiveErrorLimit counts errors in a row': [
    [EVERY_MINUTE, 'EEEE', 'Running'],
    [EVERY_MINUTE, 'EEEEE', 'Error', 'consecutive errors (5) > consecutiveErrorLimit (4)'],
    [EVERY_MINUTE, 'EEEESEEEE', 'Running'],
    [{ ...EVERY_MINUTE, failureLimit: 1 }, 'EEEEFEEEE', 'Running'],
    [{ ...EVERY_MINUTE, inconclusiveLimit: 1 }, 'EEEEIEEEE', 'Running'],
    [{ consecutiveErrorLimit: 0 }, 'E', 'Error'],
    [EVERY_MINUTE, 'EENENNEE', 'Error'],
  ],
  'consecutiveSuccessLimit ends the metric at once': [
    [{ ...EVERY_MINUTE, consecutiveSuccessLimit: 3, count: 10 }, 'SS', 'Running'],
    [
      { ...EVERY_MINUTE, consecutiveSuccessLimit: 3, count: 10 },
      'SSS',
      'Successful',
      'consecutive successes (3) reached',
    ],
    [{ ...EVERY_MINUTE, consecutiveSuccessLimit: 3, failureLimit: -1 }, 'SSFSS', 'Running'],
    [{ ...EVERY_MINUTE, consecutiveSuccessLimit: 3, failureLimit: -1 }, 'SSFSSS', 'Successful'],
    [{ ...EVERY_MINUTE, consecutiveSuccessLimit: 3, inconclusiveLimit: 9 }, 'SSISS', 'Running'],
    [{ ...EVERY_MINUTE, consecutiveSuccessLimit: 3 }, 'SSESS', 'Running'],
    [{ ...EVERY_MINUTE, consecutiveSuccessLimit: 3 }, 'SSNS', 'Successful'],
    [{ ...EVERY_MINUTE, consecutiveSuccessLimit: 3 }, 'SF', 'Failed'],
  ],
  'at the count with consecutiveSuccessLimit unmet': [
    [
      { ...EVERY_MINUTE, consecutiveSuccessLimit: 2, failureLimit: 2, count: 3 },
      'SFS',
      'Inconclusive',
      'consecutive successes (1) < consecutiveSuccessLimit (2) after 3 measurements',
    ],
    [{ ...EVERY_MINUTE, consecutiveSuccessLimit: 2, failureLimit: -1, count: 3 }, 'SFS', 'Failed'],
    [{ ...EVERY_MINUTE, consecutiveSuccessLimit: 2, failureLimit: 2, count: 3 }, 'FSS', 'Successful'],
  ],
};

for (const [name, rows] of Object.entries(table)) {
  t.test(name, async (t) => {
    for (const [overrides, letters, phase, message] of rows) {
      const row = `${JSON.stringify(overrides)} ${letters.slice(0, 12)}`;
      const metric = measured(metricPlan(overrides), letters);
      t.equal(metric.phase, phase, row);
      if (message !== undefined) t.equal(metric.message, message, `${row}: message`);
    }
  });
}

t.test('where several limits trip at once, Error goes before Inconclusive before Failed', async (t) => {
  const plan = metricPlan(EVERY_MINUTE);
  const metric = newMetric(plan, 0);
  const phase = (counts: Partial<MetricState>) => assess(plan, { ...metric, ...counts }).phase;
  t.equal(phase({ failed: 1, inconclusive: 1, consecutiveError: 5 }), 'Error');
  t.equal(phase({ failed: 1, consecutiveError: 5 }), 'Error');
  t.equal(phase({ inconclusive: 1, consecutiveError: 5 }), 'Error');
  t.equal(phase({ failed: 1, inconclusive: 1 }), 'Inconclusive');
  t.equal(phase({ failed: 1, consecutiveSuccess: 9 }), 'Failed');
});

t.test('the effective count', async (t) => {
  t.equal(effectiveCount(metricPlan()), 1);
  t.equal(effectiveCount(metricPlan({ count: 0 })), 1);
  t.equal(effectiveCount(metricPlan({ count: 4, intervalMs: 1 })), 4);
  t.equal(effectiveCount(metricPlan({ intervalMs: 1 })), null);
  t.equal(effectiveCount(metricPlan({ count: 0, intervalMs: 1 })), null);
});

t.test('when a metric is due next', async (t) => {
  t.equal(newMetric(metricPlan(), 5_000).nextAtMs, 5_000);
  t.equal(newMetric(metricPlan({ initialDelayMs: 30_000 }), 5_000).nextAtMs, 35_000);
  const rows: readonly (readonly [number | null, string, number | null])[] = [
    [60_000, 'S', 60_000],
    [60_000, 'F', 60_000],
    [60_000, 'I', 60_000],
    [60_000, 'E', 10_000],
    [60_000, 'N', 10_000],
    [5_000, 'S', 5_000],
    [5_000, 'E', 5_000],
    [5_000, 'N', 5_000],
    [null, 'E', 10_000],
    [null, 'N', 10_000],
    [null, 'S', null],
  ];
  for (const [intervalMs, letter, next] of rows) {
    const plan = metricPlan({ intervalMs, failureLimit: 9, inconclusiveLimit: 9 });
    t.equal(measured(plan, letter).nextAtMs, next, `interval ${intervalMs}, ${letter}`);
  }
  const later = measured(metricPlan({ intervalMs: 60_000 }), 'SSS');
  t.equal(later.nextAtMs, 62_000, 'from the end of the last measurement');
});

t.test('counts, and what is kept', async (t) => {
  const plan = metricPlan({ ...EVERY_MINUTE, failureLimit: 9, inconclusiveLimit: 9, retention: 3 });
  const metric = measured(plan, 'SSFIENNE');
  t.match(metric, {
    successful: 2,
    failed: 1,
    inconclusive: 1,
    error: 2,
    noData: 2,
    consecutiveError: 2,
    consecutiveSuccess: 0,
    consecutiveNoData: 0,
  });
  t.equal(measured(plan, 'SENN').consecutiveNoData, 2);
  t.strictSame(
    metric.measurements.map(({ message }) => message),
    ['measurement 5', 'measurement 6', 'measurement 7'],
    'the newest, newest last',
  );
  t.equal(metric.message, 'measurement 7', 'while it goes on, what the last one said');
  t.equal(measured(metricPlan({ ...EVERY_MINUTE, retention: 0 }), 'SS').measurements.length, 1);
  t.equal(measured(metricPlan(EVERY_MINUTE), 'S'.repeat(30)).measurements.length, 10);
});

t.test('the worst of phases', async (t) => {
  t.equal(worstOf([]), 'Successful');
  t.equal(worstOf(['Successful', 'Inconclusive']), 'Inconclusive');
  t.equal(worstOf(['Error', 'Inconclusive']), 'Error');
  t.equal(worstOf(['Error', 'Failed', 'Successful']), 'Failed');
});
