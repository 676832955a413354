import type { ErrorObject } from 'ajv';

/** How many errors are looked at; nobody reads more. */
const MAX_ERRORS = 2_000;

/**
 * The errors worth telling. A union reports every way in which every branch
 * failed; told is only the branch that the value was meant as: the first whose
 * type fits. Where none fits, the union itself is what is wrong.
 */
export function relevantErrors(errors: readonly ErrorObject[]): ErrorObject[] {
  const told = withoutStrangers(withoutBranches(errors.slice(0, MAX_ERRORS)));
  const formed = new Set(
    told.filter(({ keyword }) => keyword === 'x-form' || keyword === 'type').map((one) => one.instancePath),
  );
  const read = new Set(told.filter(({ keyword }) => keyword === 'x-form').map((one) => one.instancePath));
  return told.filter((one) => !isRepeat(one, formed) && !isUntrueType(one, read));
}

/** Ajv does not take `.inf` for a number; its form, which does, says what is wrong with it. */
function isUntrueType({ keyword, instancePath, data }: ErrorObject, read: ReadonlySet<string>): boolean {
  return keyword === 'type' && typeof data === 'number' && read.has(instancePath);
}

/** Of an item whose name was perhaps misspelt, what else is wrong with it as such an item is not worth saying. */
function withoutStrangers(errors: readonly ErrorObject[]): ErrorObject[] {
  const first = new Map<string, ErrorObject>();
  for (const one of errors) {
    if (isStranger(one) && !first.has(one.instancePath)) first.set(one.instancePath, one);
  }
  if (first.size === 0) return [...errors];
  return errors.filter(({ instancePath }, i) => {
    const parts = instancePath.split('/');
    const around = parts.map((_, end) => parts.slice(0, end + 1).join('/'));
    const stranger = around.map((path) => first.get(path)).find((one) => one !== undefined);
    return stranger === undefined || stranger === errors[i];
  });
}

/** What makes an item under a name of the user's own what it is, is missing: its first required key. */
export function isStranger({ keyword, params, parentSchema }: ErrorObject): boolean {
  if (keyword !== 'required' || parentSchema?.['x-known'] === undefined) return false;
  const required: unknown = parentSchema.required;
  return Array.isArray(required) && required[0] === params.missingProperty;
}

/** Ajv reports a union right after what its branches reported, so one pass from the front will do. */
function withoutBranches(errors: readonly ErrorObject[]): ErrorObject[] {
  const told: ErrorObject[] = [];
  for (const one of errors) {
    if (one.keyword !== 'anyOf') {
      told.push(one);
      continue;
    }
    let first = told.length;
    while (first > 0 && isInside(told[first - 1] as ErrorObject, one)) first -= 1;
    told.push(...toldOf(one, told.splice(first)));
  }
  return told;
}

function toldOf(union: ErrorObject, inside: readonly ErrorObject[]): readonly ErrorObject[] {
  const branches = new Map<string, ErrorObject[]>();
  for (const one of inside) {
    const branch = one.schemaPath.slice(union.schemaPath.length + 1).split('/', 1)[0] as string;
    const held = branches.get(branch);
    if (held === undefined) branches.set(branch, [one]);
    else held.push(one);
  }
  for (const members of branches.values()) {
    const meant = !members.some((one) => one.instancePath === union.instancePath && isTypeError(one));
    if (meant) return members;
  }
  return [union];
}

function isTypeError({ keyword }: ErrorObject): boolean {
  return keyword === 'type' || keyword === 'const';
}

/** Whether an error came from a branch of this union, at this very value. */
function isInside(one: ErrorObject, union: ErrorObject): boolean {
  if (!one.schemaPath.startsWith(`${union.schemaPath}/`)) return false;
  return one.instancePath === union.instancePath || one.instancePath.startsWith(`${union.instancePath}/`);
}

/** Said better by an error of our own keyword, or of the type. */
function isRepeat(one: ErrorObject, formed: ReadonlySet<string>): boolean {
  if (one.schemaPath.includes('/propertyNames/')) return true;
  const plain = one.keyword === 'pattern' || one.keyword === 'minimum' || one.keyword === 'maximum';
  return plain && formed.has(one.instancePath);
}
