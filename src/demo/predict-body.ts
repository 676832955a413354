import { type Flower, MEASUREMENTS } from './iris-data.ts';

/**
 * What POST /predict accepts, read from parsed JSON:
 * `{"features": [5.1, 3.5, 1.4, 0.2]}`, `{"sepal_length": 5.1, ...}`, or a batch of either kind:
 * `{"instances": [[5.1, 3.5, 1.4, 0.2], {"sepal_length": 5.1, ...}]}`.
 */
export type PredictBody =
  | { readonly kind: 'one'; readonly flower: Flower }
  | { readonly kind: 'batch'; readonly flowers: readonly Flower[] };

/** A request that cannot be understood; `message` is meant for its sender. */
export class BadInput extends Error {}

export const MAX_BATCH = 1000;
/** No iris comes near it; larger numbers are slips of unit or worse. */
const MAX_CM = 100;

/** Throws BadInput, naming the place and what would be right. */
export function readPredictBody(body: unknown): PredictBody {
  if (!isObject(body)) throw new BadInput('the body must be a JSON object with "features" or "instances"');
  if (Object.hasOwn(body, 'instances')) return { kind: 'batch', flowers: readBatch(body.instances) };
  if (Object.hasOwn(body, 'features')) return { kind: 'one', flower: readRow(body.features, 'features') };
  return { kind: 'one', flower: readNamed(body, '') };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readBatch(value: unknown): Flower[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_BATCH) {
    throw new BadInput(`instances must be a list of 1 to ${MAX_BATCH} flowers`);
  }
  return value.map((item: unknown, i) =>
    isObject(item) ? readNamed(item, `instances[${i}].`) : readRow(item, `instances[${i}]`),
  );
}

function readRow(value: unknown, path: string): Flower {
  if (!Array.isArray(value) || value.length !== MEASUREMENTS.length) {
    throw new BadInput(`${path} must be a list of four numbers: ${MEASUREMENTS.join(', ')}, in cm`);
  }
  return value.map((item: unknown, i) => readCm(item, `${path}[${i}]`));
}

function readNamed(value: Record<string, unknown>, prefix: string): Flower {
  return MEASUREMENTS.map((name) => {
    if (!Object.hasOwn(value, name)) throw new BadInput(`${prefix}${name} is missing`);
    return readCm(value[name], `${prefix}${name}`);
  });
}

function readCm(value: unknown, path: string): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= MAX_CM)) {
    throw new BadInput(`${path} must be a number of centimetres from 0 to ${MAX_CM}`);
  }
  return value;
}
