import t from 'tap';
import { prefersOpenMetrics } from '../../src/admin/negotiate.ts';

const PROMETHEUS =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,' +
  'text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

t.test('OpenMetrics goes to those who would rather have it', async (t) => {
  const table: readonly (readonly [string | undefined, boolean])[] = [
    [PROMETHEUS, true],
    ['application/openmetrics-text', true],
    ['Application/OpenMetrics-Text; version=1.0.0', true],
    ['application/openmetrics-text;q=0.5,text/plain;q=0.5', true],
    ['text/plain;q=0.9,application/openmetrics-text;q=0.2', false],
    ['application/openmetrics-text;q=0', false],
    ['application/openmetrics-text;q=nonsense', false],
    ['text/plain', false],
    ['*/*', false],
    ['', false],
    [undefined, false],
  ];
  for (const [accept, open] of table) t.equal(prefersOpenMetrics(accept), open, String(accept));
});
