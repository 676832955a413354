import { assertNever } from '../../model.ts';
import { Unsupported } from './lex.ts';
import type { AggregateOp, BinaryOp, FunctionName, Grouping, PromExpr } from './parse.ts';
import { quantile } from './quantile.ts';
import { keyOf, type Labels, type Sample, type Scraped, select } from './series.ts';

export type PromValue =
  | { readonly kind: 'scalar'; readonly value: number }
  | { readonly kind: 'vector'; readonly samples: readonly Sample[] };

/** The value of an expression at a moment of the play. Throws Unsupported. */
export function evaluatePromql(expr: PromExpr, world: Scraped, ms: number): PromValue {
  switch (expr.kind) {
    case 'number':
      return { kind: 'scalar', value: expr.value };
    case 'selector': {
      if (expr.rangeMs !== null)
        throw new Unsupported('a range is simulated inside rate() and increase() only');
      const series = select(expr.name, expr.matchers, world);
      return vector(
        series.flatMap(({ labels, at }) => {
          const value = at(ms);
          return value === null ? [] : [{ labels, value }];
        }),
      );
    }
    case 'call':
      return call(expr.name, expr.args, world, ms);
    case 'aggregate':
      return vector(aggregate(expr.op, expr.grouping, vectorOf(evaluatePromql(expr.arg, world, ms))));
    case 'binary':
      return binary(expr.op, evaluatePromql(expr.left, world, ms), evaluatePromql(expr.right, world, ms));
    default:
      return assertNever(expr);
  }
}

function vector(samples: readonly Sample[]): PromValue {
  return { kind: 'vector', samples };
}

function vectorOf(value: PromValue): readonly Sample[] {
  if (value.kind === 'scalar') throw new Unsupported('a vector is wanted where a scalar stands');
  return value.samples;
}

function scalarOf(value: PromValue): number {
  if (value.kind === 'vector') throw new Unsupported('a scalar is wanted where a vector stands');
  return value.value;
}

function call(name: FunctionName, args: readonly PromExpr[], world: Scraped, ms: number): PromValue {
  if (name === 'rate' || name === 'increase') return vector(increases(args[0], name === 'rate', world, ms));
  const [first, second] = args.map((arg) => evaluatePromql(arg, world, ms)) as [PromValue, PromValue];
  switch (name) {
    case 'vector':
      return vector([{ labels: {}, value: scalarOf(first) }]);
    case 'scalar': {
      const samples = vectorOf(first);
      return { kind: 'scalar', value: samples.length === 1 ? (samples[0] as Sample).value : Number.NaN };
    }
    case 'histogram_quantile':
      return vector(quantile(scalarOf(first), vectorOf(second)));
    case 'clamp_min':
      return mapped(first, (value) => Math.max(value, scalarOf(second)));
    case 'clamp_max':
      return mapped(first, (value) => Math.min(value, scalarOf(second)));
    case 'abs':
      return mapped(first, Math.abs);
    default:
      return assertNever(name);
  }
}

function mapped(value: PromValue, change: (value: number) => number): PromValue {
  return vector(vectorOf(value).map((sample) => ({ labels: sample.labels, value: change(sample.value) })));
}

function increases(arg: PromExpr | undefined, perSecond: boolean, world: Scraped, ms: number): Sample[] {
  if (arg?.kind !== 'selector' || arg.rangeMs === null) throw new Unsupported('a range is wanted');
  const { rangeMs } = arg;
  return select(arg.name, arg.matchers, world).flatMap(({ labels, at }) => {
    const after = at(ms);
    if (after === null) return [];
    const increase = after - (at(ms - rangeMs) ?? 0);
    return [{ labels, value: perSecond ? increase / (rangeMs / 1_000) : increase }];
  });
}

function aggregate(op: AggregateOp, { without, labels }: Grouping, samples: readonly Sample[]): Sample[] {
  const groups = new Map<string, { labels: Labels; values: number[] }>();
  for (const sample of samples) {
    const kept = Object.entries(sample.labels).filter(([label]) => labels.includes(label) !== without);
    const own = Object.fromEntries(kept);
    const key = keyOf(own);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { labels: own, values: [sample.value] });
    else group.values.push(sample.value);
  }
  return [...groups.values()].map((group) => ({ labels: group.labels, value: reduced(op, group.values) }));
}

function reduced(op: AggregateOp, values: readonly number[]): number {
  const sum = () => values.reduce((total, value) => total + value, 0);
  switch (op) {
    case 'sum':
      return sum();
    case 'avg':
      return sum() / values.length;
    case 'min':
      return Math.min(...values);
    case 'max':
      return Math.max(...values);
    case 'count':
      return values.length;
    default:
      return assertNever(op);
  }
}

function binary(op: BinaryOp, left: PromValue, right: PromValue): PromValue {
  if (op === 'or') {
    const first = vectorOf(left);
    const held = new Set(first.map(({ labels }) => keyOf(labels)));
    return vector([...first, ...vectorOf(right).filter(({ labels }) => !held.has(keyOf(labels)))]);
  }
  if (left.kind === 'scalar' && right.kind === 'scalar') {
    return { kind: 'scalar', value: computed(op, left.value, right.value) };
  }
  if (left.kind === 'scalar') return mapped(right, (value) => computed(op, left.value, value));
  if (right.kind === 'scalar') return mapped(left, (value) => computed(op, value, right.value));
  // One to one, by equal labels.
  const others = new Map(right.samples.map(({ labels, value }) => [keyOf(labels), value]));
  return vector(
    left.samples.flatMap(({ labels, value }) => {
      const other = others.get(keyOf(labels));
      return other === undefined ? [] : [{ labels, value: computed(op, value, other) }];
    }),
  );
}

function computed(op: Exclude<BinaryOp, 'or'>, left: number, right: number): number {
  switch (op) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    default:
      return assertNever(op);
  }
}
