import Type from 'typebox';
import type { PlainForm } from '../forms/form.ts';
import { mapOf, oneOrMany, section, text } from './build.ts';

/** Conditions of rules and cohorts. */

const MATCH_TYPE = 'text, a list of texts, `{ prefix: … }`, `{ pattern: … }` or `{ present: true }`';

/** How a value is compared; `form` restricts the texts it is compared with. */
function textMatch(form: PlainForm | null, description: string) {
  const value = () =>
    form === null ? Type.String() : text(form, 'text', { description: 'A value to compare with.' });
  return Type.Union(
    [
      value(),
      Type.Array(value(), { minItems: 1, maxItems: 10_000 }),
      Type.Object(
        {
          prefix: Type.Optional(value()),
          pattern: Type.Optional(
            text('pattern', 'an RE2 pattern', { description: 'RE2 syntax; found anywhere unless anchored.' }),
          ),
          present: Type.Optional(Type.Literal(true)),
        },
        { additionalProperties: false, minProperties: 1, maxProperties: 1 },
      ),
    ],
    { description, 'x-type': MATCH_TYPE },
  );
}

const factKeys = {
  header: mapOf('header', textMatch(null, 'What the header’s value must be.'), {
    description:
      'Header names (case does not matter) and what their values must be; all of them must hold. Text means equal, a list one of them; a `pattern` is RE2, found anywhere unless anchored, and never matches a value over 1,024 characters.',
    minProperties: 1,
    maxProperties: 32,
    'x-type': `a mapping from headers to ${MATCH_TYPE}`,
  }),
  cookie: mapOf('cookie', textMatch(null, 'What the cookie’s value must be.'), {
    description: 'Cookie names and what their values must be; all of them must hold.',
    minProperties: 1,
    maxProperties: 32,
    'x-type': `a mapping from cookies to ${MATCH_TYPE}`,
  }),
  query: mapOf('query', textMatch(null, 'What the parameter’s value must be.'), {
    description: 'Query parameters and what their values must be; all of them must hold.',
    minProperties: 1,
    maxProperties: 32,
    'x-type': `a mapping from parameters to ${MATCH_TYPE}`,
  }),
  path: textMatch('pathText', 'What the request’s normalised path, without the query, must be.'),
  method: oneOrMany(
    text('method', 'a method', { description: 'A method, in capital letters.' }),
    'a method',
    {
      description: 'The request’s method.',
      'x-hint': 'write a method such as POST, or a list of them',
    },
  ),
  region: oneOrMany(text('region', 'a region', { description: 'A region.' }), 'a region', {
    description:
      'Where the request comes from: the service’s `regionHeader`, or else the gateway’s own region. Case does not matter.',
    'x-hint': 'write a region such as eu-west, or a list of them',
  }),
};

export const cohortSchema = section(factKeys, {
  description: 'A named condition: the keys of `when` except `cohort`. All that are given must hold.',
  minProperties: 1,
  'x-same-as': 'services.NAME.rules[].when',
});

export const whenSchema = section(
  {
    ...factKeys,
    cohort: oneOrMany(text('name', 'a cohort', { description: 'The name of a cohort.' }), 'a cohort', {
      description: 'A cohort of this service; of several, one must hold.',
      'x-hint': 'write the name of a cohort, or a list of them',
    }),
  },
  {
    description: 'When the rule applies: all that is given must hold.',
    minProperties: 1,
    'x-hint': 'write conditions such as { header: { x-canary: always } }',
  },
);
