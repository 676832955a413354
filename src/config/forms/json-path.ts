import { bad, good, type Reading } from './reading.ts';

const MAX_STEPS = 32;
const STEP = /^(?:\.([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]{1,6})\]|\['([^'\\]{1,128})'\]|\["([^"\\]{1,128})"\])/;
const FORM = "write names and positions only, such as {$.data.items[0].ok}, or {$['a name']}";

/**
 * `{$.data.ok}`, `$.items[0]`, `{$}`: the way into a JSON answer, one item a step.
 * Of JSONPath only what leads to one value.
 */
export function readJsonPath(text: string): Reading<readonly (string | number)[]> {
  const braced = text.startsWith('{') && text.endsWith('}');
  const inner = braced ? text.slice(1, -1) : text;
  const start = (braced ? 1 : 0) + (inner.startsWith('$') ? 1 : 0);
  let rest = inner.startsWith('$') ? inner.slice(1) : inner;
  const steps: (string | number)[] = [];
  if (text === '' || (braced && inner === '')) return bad('is empty', FORM);
  const whole = rest.length;
  while (rest !== '') {
    const found = STEP.exec(rest);
    const at = start + whole - rest.length;
    if (found === null) return bad(faultOf(rest), FORM, at);
    if (steps.length === MAX_STEPS) return bad(`has more than ${MAX_STEPS} steps`, 'shorten it', at);
    const index = found[2];
    steps.push(index === undefined ? (found[1] ?? found[3] ?? found[4] ?? '') : Number(index));
    rest = rest.slice(found[0].length);
  }
  return good(steps);
}

function faultOf(rest: string): string {
  if (rest.startsWith('..')) return 'searches at every depth, which is not supported';
  if (rest.startsWith('[?')) return 'has a filter, which is not supported';
  if (rest.startsWith('[*') || rest.startsWith('.*')) return 'has a wildcard, which is not supported';
  if (/^\[-?[0-9]*:/.test(rest)) return 'takes a slice, which is not supported';
  if (rest.startsWith('[-')) return 'counts from the end, which is not supported';
  return 'is not a path that can be read';
}
