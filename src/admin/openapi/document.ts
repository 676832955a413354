import type { Component } from './build.ts';
import { LIVE_COMPONENTS } from './live.ts';
import {
  type Answer,
  BAD_URL,
  CROSS_ORIGIN,
  INTERNAL,
  type Operation,
  type Parameter,
  UNAUTHORIZED,
  WRONG_HOST,
} from './operations.ts';
import { OPERATIONS } from './paths.ts';
import { ROLLOUT_COMPONENTS } from './rollouts.ts';
import { SERVICE_COMPONENTS } from './services.ts';

const TAGS = {
  services: 'Who gets what, and why.',
  rollouts: 'Where a rollout is, what the gates say, and what a person may tell it.',
  experiments: 'A/B tests, and what they are told.',
  live: 'What a page that is left open reads.',
  process: 'Probes, metrics and descriptions.',
} as const satisfies Record<Operation['tag'], string>;

const DESCRIPTION = `The admin port of a Coalmine gateway. Answers are JSON; one that is not 2xx holds
\`error\`, which is stable, and \`message\`, which says what to do. Where \`admin.token\` is set every request
carries it, but those to the probes and to \`/\`. Keys may be added to answers; those that are here stay.`;

/** The description of the admin API: an OpenAPI 3.1 document. */
export function openApiDocument(): object {
  const components: readonly Component<unknown>[] = [
    ...SERVICE_COMPONENTS,
    ...ROLLOUT_COMPONENTS,
    ...LIVE_COMPONENTS,
  ];
  return {
    openapi: '3.1.1',
    info: {
      title: 'Coalmine admin API',
      version: '1',
      description: DESCRIPTION.replaceAll('\n', ' '),
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    servers: [
      { url: '/', description: 'The admin port that serves this.' },
      { url: 'http://127.0.0.1:9090', description: 'Where it listens by default (`admin.listen`).' },
    ],
    security: [{ token: [] }, { password: [] }, {}],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: pathsOf(OPERATIONS),
    components: {
      schemas: Object.fromEntries(components.map(({ name, schema }) => [name, schema])),
      responses: sharedAnswers(OPERATIONS),
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: '`admin.token`. Off loopback there always is one; on loopback there may be none.',
        },
        password: {
          type: 'http',
          scheme: 'basic',
          description: 'The same as a password, with any user, for those who can send no other header.',
        },
      },
    },
  };
}

function sharedAnswers(operations: readonly Operation[]): object {
  const answers = operations.flatMap((operation) => Object.values(answersOf(operation)));
  return Object.fromEntries(
    answers.flatMap(({ shared, ...answer }) => (shared === undefined ? [] : [[shared, answer]])),
  );
}

/** `/api/v1/services/:name` as OpenAPI writes it. */
export function templateOf(path: string): string {
  return path.replace(/:(\w+)/g, '{$1}');
}

function pathsOf(operations: readonly Operation[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    const path = templateOf(operation.path);
    paths[path] = { ...paths[path], [operation.method]: operationObject(operation) };
  }
  return paths;
}

function operationObject(operation: Operation): object {
  const { id, tag, summary, body, access } = operation;
  const parameters = parametersOf(operation);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(access === undefined
      ? null
      : { security: access === 'everyone' ? [{}, { token: [] }, { password: [] }] : [{}] }),
    ...(parameters.length === 0 ? null : { parameters }),
    ...(body === undefined
      ? null
      : {
          requestBody: {
            required: body.required,
            ...(body.description === undefined ? null : { description: body.description }),
            content: { 'application/json': { schema: body.schema } },
          },
        }),
    responses: Object.fromEntries(
      Object.entries(answersOf(operation)).map(([status, answer]) => [
        status,
        answer.shared === undefined ? answer : { $ref: `#/components/responses/${answer.shared}` },
      ]),
    ),
  };
}

function parametersOf({ path, params = [] }: Operation): object[] {
  const named = path.includes(':name')
    ? [{ name: 'name', in: 'path', required: true, description: 'The service.', schema: { type: 'string' } }]
    : [];
  return [...named, ...params.map(parameterObject)];
}

function parameterObject({ required = false, ...rest }: Parameter): object {
  return { ...rest, required };
}

/** Its own answers, and those that the guard and the server give in its place. */
function answersOf({ method, path, answers, access }: Operation): Readonly<Record<string, Answer>> {
  return {
    ...(path.includes(':name') ? BAD_URL : null),
    ...answers,
    ...(access === undefined ? UNAUTHORIZED : null),
    ...(access === undefined && method !== 'get' ? CROSS_ORIGIN : null),
    ...(access === 'everyone' ? null : WRONG_HOST),
    ...INTERNAL,
  };
}
