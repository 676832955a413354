import { useMemo } from 'preact/hooks';
import type { ExperimentTimelineBody } from '../../../admin/contract.ts';
import { Chart } from '../../chart/chart.tsx';
import type { Line } from '../../chart/plot.ts';
import { around, timeSpan } from '../../chart/ranges.ts';
import { share } from '../../format.ts';
import { type Slots, slotOf } from '../../logic/slots.ts';
import { Swatch } from '../icons.tsx';

const HEIGHT = 240;
const LEAST_MS = 120_000;

/** Intervals as they narrow: of each variant, and of each in relation to stable. */
export function Bands({
  timeline,
  slots,
}: {
  readonly timeline: ExperimentTimelineBody;
  readonly slots: Slots;
}) {
  const conversion = useMemo(() => linesOf(timeline, slots, 'conversion'), [timeline, slots]);
  const ratio = useMemo(() => linesOf(timeline, slots, 'ratio'), [timeline, slots]);
  const common = {
    atMs: timeline.atMs,
    marks: [],
    time: timeSpan(timeline.atMs, LEAST_MS),
    height: HEIGHT,
    sync: 'experiment',
    stepped: false,
  };
  return (
    <>
      <ul class="legend legend-wide">
        {timeline.variants.map(({ name }) => (
          <li key={name}>
            <Swatch slot={slotOf(slots, name)} /> {name}
          </li>
        ))}
      </ul>
      <div class="charts charts-wide">
        <Chart
          {...common}
          title="Users who convert"
          lines={conversion}
          format={share}
          axis={share}
          value={(min, max) => around(min, max, 0.01)}
        />
        {ratio.length === 0 ? null : (
          <Chart
            {...common}
            title="In relation to stable (1 is equal)"
            lines={ratio}
            format={times}
            axis={times}
            value={(min, max) => around(Math.min(min ?? 1, 0.98), Math.max(max ?? 1, 1.02), 0.04)}
          />
        )}
      </div>
    </>
  );
}

function linesOf({ variants }: ExperimentTimelineBody, slots: Slots, what: 'conversion' | 'ratio'): Line[] {
  return variants.flatMap((variant) => {
    const { value, low, high } = variant[what];
    if (value.every((one) => one === null)) return [];
    const { name } = variant;
    const slot = slotOf(slots, name);
    return [
      { name: `${name} high`, slot, values: high, edge: 'high' as const },
      { name: `${name} low`, slot, values: low, edge: 'low' as const },
      { name, slot, values: value },
    ];
  });
}

function times(value: number | null): string {
  return value === null ? '–' : value.toFixed(2);
}
