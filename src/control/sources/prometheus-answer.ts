import type { Outcome } from '../../core/analysis/state.ts';

/**
 * Reads what Prometheus' HTTP API answers to a query, as Argo Rollouts does: a
 * scalar is a number, a vector the list of its values, a matrix the list of all
 * values of all its series; labels are lost. Anything else is an error.
 */

/** A sound answer without a single value is `empty`. */
export type QueryResult = Outcome | { readonly kind: 'empty' };

/** Of a 2xx. */
export function resultOfAnswer(body: string): QueryResult {
  const answer = fieldsOf(parseJson(body));
  if (answer === null) return malformed('it is not a JSON object');
  if (answer.status === 'error') return { kind: 'error', reason: messageOf(answer) };
  const data = fieldsOf(answer.data);
  if (answer.status !== 'success' || data === null) return malformed('it has no status and data');
  return resultOfType(data.resultType, data.result);
}

/** Prometheus' own words in an answer that is no 2xx; '' when it has none. */
export function refusalOf(body: string): string {
  const answer = fieldsOf(parseJson(body));
  return answer?.status === 'error' ? messageOf(answer) : '';
}

function resultOfType(type: unknown, result: unknown): QueryResult {
  switch (type) {
    case 'scalar': {
      const value = sampleOf(result);
      return value === null ? malformed('its scalar is no number') : valueOutcome(value);
    }
    case 'vector':
      return listResult(result, (sample) => [sampleOf(sample.value)]);
    case 'matrix':
      return listResult(result, (series) =>
        Array.isArray(series.values) ? series.values.map(sampleOf) : [null],
      );
    default:
      return { kind: 'error', reason: `a result of type ${cut(String(type), 40)} cannot be judged` };
  }
}

function listResult(
  result: unknown,
  valuesOf: (item: Record<string, unknown>) => readonly (number | null)[],
): QueryResult {
  if (!Array.isArray(result)) return malformed('its result is no list');
  const values: number[] = [];
  for (const item of result) {
    const fields = fieldsOf(item);
    if (fields === null) return malformed('its result holds what is no series');
    if (fields.histogram !== undefined || fields.histograms !== undefined) {
      return { kind: 'error', reason: 'a native histogram cannot be judged; take a quantile of it' };
    }
    for (const value of valuesOf(fields)) {
      if (value === null) return malformed('its result holds what is no number');
      values.push(value);
    }
  }
  if (values.length === 0) return { kind: 'empty' };
  return valueOutcome(values);
}

/** `[time, "value"]`; null for anything else. */
function sampleOf(pair: unknown): number | null {
  const text: unknown = Array.isArray(pair) ? pair[1] : undefined;
  return typeof text === 'string' ? numberOf(text) : null;
}

/** As Go prints numbers: also `NaN`, `+Inf`, `-Inf`. */
function numberOf(text: string): number | null {
  if (text === 'NaN') return Number.NaN;
  const infinite = /^([+-]?)Inf(?:inity)?$/.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : null;
}

function messageOf(answer: Record<string, unknown>): string {
  const type = typeof answer.errorType === 'string' ? `${answer.errorType}: ` : '';
  const message = typeof answer.error === 'string' ? answer.error : 'no message';
  return cut((type + message).replace(/\s+/g, ' '), 300);
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

function valueOutcome(value: unknown): Outcome {
  return { kind: 'value', value, samples: null };
}

function malformed(why: string): Outcome {
  return { kind: 'error', reason: `the answer is not one of Prometheus: ${why}` };
}

function fieldsOf(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
