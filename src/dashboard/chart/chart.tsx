import { useEffect, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { clock, NONE } from '../format.ts';
import { latest } from '../state/series.ts';
import { Swatch } from '../view/icons.tsx';
import { onTheme } from '../view/theme.ts';
import { forgetColours } from './colours.ts';
import { createPlot, dataOf, type PlotSpec, shapeOf } from './plot.ts';

export interface ChartProps extends PlotSpec {
  readonly title: string;
  readonly format: (value: number | null) => string;
}

/** A chart with its values now, or where the pointer is, in words above it. */
export function Chart(props: ChartProps) {
  const { title, lines, atMs, format } = props;
  const [index, setIndex] = useState<number | null>(null);
  const box = usePlot(props, setIndex);
  const shown = lines.filter(({ edge }) => edge === undefined);
  const values = shown.map((line) => ({
    ...line,
    text: format(index === null ? latest(line.values) : (line.values[index] ?? null)),
  }));
  const at = index === null ? undefined : atMs[index];
  const summary = values.map(({ name, text }) => `${name} ${text === NONE ? 'unknown' : text}`).join(', ');
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        <span class="chart-at muted num">{at === undefined ? '' : clock(at)}</span>
        <ul class="chart-values num">
          {values.map(({ name, slot, text }) => (
            <li key={name}>
              <Swatch slot={slot} />
              <span class="sr">{name} </span>
              {text}
            </li>
          ))}
        </ul>
      </figcaption>
      <div class="plot" ref={box} role="img" aria-label={`${title} over time; now: ${summary}`} />
    </figure>
  );
}

/** Keeps one plot alive in a box, whatever of its data, width or colours changes. */
function usePlot(props: PlotSpec, onCursor: (index: number | null) => void) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const spec = useRef<PlotSpec>(props);
  spec.current = props;
  const shape = shapeOf(props);

  useEffect(() => {
    const element = box.current as HTMLDivElement;
    const made = createPlot(element, () => spec.current, onCursor);
    plot.current = made;
    const sizes = new ResizeObserver(() => {
      const { clientWidth } = element;
      if (clientWidth > 0 && clientWidth !== made.width)
        made.setSize({ width: clientWidth, height: made.height });
    });
    sizes.observe(element);
    const stop = onTheme(() => {
      forgetColours();
      made.redraw(false);
    });
    return () => {
      stop();
      sizes.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => {
    plot.current?.setData(dataOf(spec.current));
  }, [shape, props.atMs, props.lines, props.marks]);
  return box;
}
