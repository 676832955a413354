import { assertNever } from '../../core/model.ts';
import { readPattern } from '../pattern.ts';
import { readHost, readListen, readMatchHost, readOrigin, readRange } from './addresses.ts';
import { hasArgs, orArgs, readArgName } from './args.ts';
import { readJsonPath } from './json-path.ts';
import {
  readCookieName,
  readHeaderName,
  readKeySource,
  readMethod,
  readName,
  readQueryName,
  readRegion,
} from './names.ts';
import { readPathPrefix, readPathText, readProbePath } from './paths.ts';
import { readMetricPattern, readWholePattern } from './patterns.ts';
import { readPointer } from './pointer.ts';
import {
  type QuantityBounds,
  readAnyPercentText,
  readArgoDuration,
  readDuration,
  readIntegerText,
  readPercent,
  readPercentText,
  readShare,
  readSize,
  type ShareBounds,
} from './quantities.ts';
import { readQueryStep, readQueryTime } from './query-time.ts';
import { good, type Reading } from './reading.ts';
import {
  readBearerToken,
  readFieldPath,
  readHeaderValue,
  readHttpUrl,
  readLabel,
  readTraceUrl,
} from './texts.ts';

/** What a value must look like beyond its JSON type; stands in the schema as `x-form`. */
export type Form =
  | ({ readonly kind: 'duration' | 'size' } & QuantityBounds)
  | ({ readonly kind: 'argoDuration'; readonly args: boolean } & QuantityBounds)
  | { readonly kind: 'integerText'; readonly min: number; readonly max: number }
  | { readonly kind: 'percent' }
  | ({ readonly kind: 'share' } & ShareBounds)
  | { readonly kind: PlainForm };

const PLAIN_FORMS = {
  listen: readListen,
  host: readHost,
  matchHost: readMatchHost,
  origin: readOrigin,
  range: readRange,
  name: readName,
  header: readHeaderName,
  cookie: readCookieName,
  query: readQueryName,
  method: readMethod,
  region: readRegion,
  keySource: readKeySource,
  pathPrefix: readPathPrefix,
  pathText: readPathText,
  probePath: readProbePath,
  pattern: readPattern,
  wholePattern: readWholePattern,
  metricPattern: readMetricPattern,
  label: readLabel,
  httpUrl: readHttpUrl,
  traceUrl: readTraceUrl,
  httpUrlOrArgs: orArgs(readHttpUrl),
  headerValue: readHeaderValue,
  bearerToken: readBearerToken,
  jsonPath: readJsonPath,
  pointer: readPointer,
  percentText: readPercentText,
  anyPercentText: readAnyPercentText,
  queryTimeOrArgs: orArgs(readQueryTime),
  queryStepOrArgs: orArgs(readQueryStep),
  fieldPath: readFieldPath,
  argName: readArgName,
} as const satisfies Record<string, (text: string) => Reading<unknown>>;
export type PlainForm = keyof typeof PLAIN_FORMS;

/** Reads a value in a form; null when its type is not the form's, which the schema reports by itself. */
export function readForm(form: Form, value: unknown): Reading<unknown> | null {
  if (form.kind === 'percent') return typeof value === 'number' ? readPercent(value) : null;
  if (form.kind === 'share') return typeof value === 'number' ? readShare(value, form) : null;
  if (typeof value !== 'string') return null;
  switch (form.kind) {
    case 'duration':
      return readDuration(value, form);
    case 'size':
      return readSize(value, form);
    case 'argoDuration':
      return form.args && hasArgs(value) ? good(null) : readArgoDuration(value, form);
    case 'integerText':
      return hasArgs(value) ? good(null) : readIntegerText(value, form);
    default:
      return readPlain(form.kind, value);
  }
}

function readPlain(kind: PlainForm, text: string): Reading<unknown> {
  const read: ((text: string) => Reading<unknown>) | undefined = PLAIN_FORMS[kind];
  return read === undefined ? assertNever(kind as never) : read(text);
}
