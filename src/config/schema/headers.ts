import Type from 'typebox';
import { type KeyOptions, mapOf, section, text } from './build.ts';

/** Where the reference explains headers; the other places point at it. */
const SAME = 'analysisTemplates.NAME.metrics[].provider.prometheus.headers';

const value = () =>
  Type.String({
    description: 'Its value. Take secrets from environment variables.',
    maxLength: 8_192,
    'x-form': { kind: 'headerValue' },
    'x-secret': true,
    'x-type': 'text',
  });

/** Headers of a request that we send: Argo's list of pairs, or a mapping. */
export function headersSchema(description: string) {
  const options = {
    description,
    'x-default': 'none',
    'x-same-as': SAME,
    'x-type': 'a list of `{ key: NAME, value: TEXT }`, or a mapping from names to values',
    'x-hint': 'write { NAME: value }, or a list of { key: NAME, value: … }',
  } satisfies KeyOptions;
  return Type.Union(
    [
      Type.Array(
        section(
          {},
          { description: 'A header.', 'x-hint': 'write { key: NAME, value: … }' },
          { key: text('header', 'a header name', { description: 'The header’s name.' }), value: value() },
        ),
        { maxItems: 32 },
      ),
      mapOf('header', value(), { description, maxProperties: 32 }),
    ],
    options,
  );
}
