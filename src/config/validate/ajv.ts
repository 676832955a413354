import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { type Form, readForm } from '../forms/form.ts';
import { OWN_KEYWORDS } from '../schema/build.ts';
import { type RawConfig, rootSchema } from '../schema.ts';

/** What a failed `x-form` says in its error's `params`. */
export interface FormParams {
  readonly fix: string;
  readonly at: number;
}

let compiled: ValidateFunction<RawConfig> | null = null;

/** Every error of a value against the schema; compiled at first use, some 150 ms. */
export function schemaErrors(value: unknown): readonly ErrorObject[] {
  compiled ??= compileSchema();
  return compiled(value) ? [] : (compiled.errors ?? []);
}

function compileSchema(): ValidateFunction<RawConfig> {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    ownProperties: true,
    strict: true,
    // Unions of a text, a list and a mapping are the point of several keys.
    allowUnionTypes: true,
    messages: false,
  });
  for (const keyword of OWN_KEYWORDS) {
    if (keyword === 'x-form')
      ajv.addKeyword({ keyword, schemaType: 'object', errors: true, validate: checkForm });
    else ajv.addKeyword({ keyword });
  }
  return ajv.compile<RawConfig>(rootSchema);
}

function checkForm(form: Form, data: unknown): boolean {
  const reading = readForm(form, data);
  if (reading === null || reading.ok) {
    checkForm.errors = [];
    return true;
  }
  const params: FormParams = { fix: reading.fix, at: reading.at ?? 0 };
  checkForm.errors = [{ keyword: 'x-form', message: reading.message, params }];
  return false;
}
/** Where Ajv looks for a keyword's own errors. */
checkForm.errors = [] as Partial<ErrorObject>[];
