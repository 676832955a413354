import uPlot from 'uplot';
import { clock } from '../format.ts';
import { DASHES } from '../logic/slots.ts';
import { colourOf } from './colours.ts';
import type { Span } from './ranges.ts';

type Column = readonly (number | null)[];

/** A line of a chart; `band`: it is the edge of one, between it and the line before it. */
export interface Line {
  readonly name: string;
  readonly slot: number;
  readonly values: Column;
  readonly edge?: 'high' | 'low';
}

/** Something that happened, as a line from top to bottom. */
export interface Mark {
  readonly atMs: number;
  readonly tone: 'plain' | 'harm' | 'good';
}

export interface PlotSpec {
  readonly atMs: readonly number[];
  readonly lines: readonly Line[];
  readonly marks: readonly Mark[];
  readonly time: Span;
  readonly value: (min: number | null, max: number | null) => Span;
  readonly axis: (value: number) => string;
  readonly stepped: boolean;
  readonly height: number;
  readonly sync: string;
}

/** Half of the widest label of the time. */
const LABEL_HALF_PX = 26;
const FONT = '11px system-ui, sans-serif';

/** The plot reads `spec()` whenever it draws, so that new data needs no new plot. */
export function createPlot(
  box: HTMLElement,
  spec: () => PlotSpec,
  onCursor: (index: number | null) => void,
): uPlot {
  const { lines, height, sync, stepped } = spec();
  const options: uPlot.Options = {
    width: Math.max(80, box.clientWidth),
    height,
    legend: { show: false },
    padding: [8, 4, 0, 0],
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 6, width: 0 },
      sync: { key: sync, scales: ['x', null] },
    },
    scales: {
      x: { time: true, range: () => pair(spec().time) },
      y: { range: (_plot, min, max) => pair(spec().value(min, max)) },
    },
    axes: [timeAxis(), valueAxis(spec)],
    series: [{}, ...lines.map((line) => seriesOf(line, stepped))],
    bands: bandsOf(lines),
    hooks: {
      setCursor: [
        (plot) =>
          onCursor(
            plot.cursor.left !== undefined && plot.cursor.left >= 0 ? (plot.cursor.idx ?? null) : null,
          ),
      ],
      drawClear: [(plot) => drawMarks(plot, spec().marks)],
    },
  };
  return new uPlot(options, dataOf(spec()), box);
}

export function dataOf({ atMs, lines }: PlotSpec): uPlot.AlignedData {
  return [atMs.map((ms) => ms / 1000), ...lines.map(({ values }) => [...values])];
}

/** What a plot cannot change once it is made. */
export function shapeOf({ lines, stepped, height }: PlotSpec): string {
  return JSON.stringify([lines.map(({ name, slot, edge }) => [name, slot, edge]), stepped, height]);
}

function seriesOf({ name, slot, edge }: Line, stepped: boolean): uPlot.Series {
  const path = stepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
  return {
    label: name,
    stroke: () => (edge === undefined ? colourOf(`--line-${slot}`) : 'transparent'),
    width: slot === 1 ? 2 : 1.5,
    dash: [...(DASHES[slot] ?? [])],
    points: { show: false },
    spanGaps: false,
    ...(path === undefined ? {} : { paths: path }),
  };
}

/** A high edge directly before its low one. */
function bandsOf(lines: readonly Line[]): uPlot.Band[] {
  return lines.flatMap(({ edge, slot }, i) =>
    edge === 'high'
      ? [{ series: [i + 1, i + 2], fill: () => colourOf(`--band-${slot}`) } satisfies uPlot.Band]
      : [],
  );
}

function timeAxis(): uPlot.Axis {
  return {
    ...look(),
    size: 26,
    space: 52,
    values: (plot, splits, _axis, _space, increment) => {
      const text = (at: number) => (increment < 60 ? clock(at * 1000) : clock(at * 1000).slice(0, 5));
      // A label is centred at its time, and would be cut off at the edge.
      const last = plot.bbox.width / devicePixelRatio - LABEL_HALF_PX;
      return splits.map((at) => (plot.valToPos(at, 'x') > last ? '' : text(at)));
    },
  };
}

function valueAxis(spec: () => PlotSpec): uPlot.Axis {
  return {
    ...look(),
    size: 52,
    space: 34,
    values: (_plot, splits) => splits.map((value) => spec().axis(value)),
  };
}

function look(): uPlot.Axis {
  return {
    stroke: () => colourOf('--muted'),
    font: FONT,
    gap: 4,
    grid: { stroke: () => colourOf('--hair'), width: 1 },
    ticks: { show: false },
  };
}

const MARK_COLOURS: Readonly<Record<Mark['tone'], string>> = {
  plain: '--rule',
  harm: '--harm',
  good: '--good',
};

function drawMarks(plot: uPlot, marks: readonly Mark[]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const { atMs, tone } of marks) {
    const x = Math.round(plot.valToPos(atMs / 1000, 'x', true)) + 0.5;
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = colourOf(MARK_COLOURS[tone]);
    ctx.lineWidth = (tone === 'plain' ? 1 : 2) * devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

function pair({ min, max }: Span): [number, number] {
  return [min, max];
}
