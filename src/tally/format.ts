import type { MetricSpec } from './names.ts';
import type { Distribution, Labels, Sample } from './samples.ts';

/**
 * The text of metrics, in Prometheus' format and in OpenMetrics, which differ for us in
 * the name that a counter's head carries. Not prom-client: it keeps a hash map of
 * labels for each metric and formats each line from objects, which took ten times
 * as long.
 */

export function headOf({ name, kind, help }: MetricSpec, openMetrics: boolean): string {
  const family = openMetrics && kind === 'counter' ? name.replace(/_total$/, '') : name;
  return `# HELP ${family} ${help}\n# TYPE ${family} ${kind}`;
}

export function sampleLines({ name }: MetricSpec, samples: readonly Sample[]): string {
  let lines = '';
  for (const { labels, value } of samples) {
    const inner = labelText(labels);
    lines += inner === '' ? `${name} ${value}\n` : `${name}{${inner}} ${value}\n`;
  }
  return lines.slice(0, -1);
}

export function histogramLines(name: string, { labels, edges, counts, sum }: Distribution): string {
  const shared = labelText(labels);
  let lines = '';
  let total = 0;
  for (let i = 0; i < edges.length; i++) {
    total += counts[i] as number;
    lines += `${name}_bucket{le="${edges[i]}",${shared}} ${total}\n`;
  }
  total += counts[edges.length] as number;
  return `${lines}${name}_bucket{le="+Inf",${shared}} ${total}\n${name}_sum{${shared}} ${sum}\n${name}_count{${shared}} ${total}`;
}

function labelText(labels: Labels): string {
  let text = '';
  for (const name in labels) {
    text += `${text === '' ? '' : ','}${name}="${escaped(labels[name] as string)}"`;
  }
  return text;
}

const SPECIAL = /[\\"\n]/g;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

function escaped(value: string): string {
  return value.replace(SPECIAL, (each) => ESCAPES[each] as string);
}
