import { GATE_ASKS } from '../../control/api.ts';
import { API, ROLLOUT_VERBS, type RolloutVerb, TIMELINE_STEPS } from '../contract.ts';
import * as live from './live.ts';
import {
  BAD_BODY,
  BAD_REQUEST,
  ETAG,
  feedbackBodySchema,
  json,
  NO_EXPERIMENT,
  NO_ROLLOUT,
  NOT_FOUND,
  type Operation,
  type Parameter,
  refused,
  STORE_FAILED,
} from './operations.ts';
import * as rollouts from './rollouts.ts';
import * as services from './services.ts';

const string = { type: 'string' };
const repeated = { type: 'array', items: string };

function query(name: string, description: string, schema: object = string, required = false): Parameter {
  return { name, in: 'query', description, schema, required };
}

const SERVICES: readonly Operation[] = [
  {
    method: 'get',
    path: `${API}/services`,
    id: 'listServices',
    tag: 'services',
    summary: 'All services with their weights and the health of their endpoints',
    answers: { 200: json('The services.', services.servicesBody) },
  },
  {
    method: 'get',
    path: `${API}/services/:name`,
    id: 'getService',
    tag: 'services',
    summary: 'One service in full',
    answers: { 200: json('The service.', services.serviceDetail, ETAG), ...NOT_FOUND },
  },
  {
    method: 'get',
    path: `${API}/services/:name/disagreements`,
    id: 'getDisagreements',
    tag: 'services',
    summary: 'Mirrored requests that were answered differently',
    answers: { 200: json('The pairs that are kept.', services.disagreementsBody), ...NOT_FOUND },
  },
  {
    method: 'get',
    path: `${API}/services/:name/explain`,
    id: 'explain',
    tag: 'services',
    summary: 'Which version a request gets and why, now and at each coming step',
    params: [
      query('key', 'Value of the service’s first key source.'),
      query('header', '`name: value`, as often as needed.', repeated),
      query('cookie', '`name=value`, as often as needed.', repeated),
      query('method', '`GET` if left out.'),
      query('path', 'With its query; the path that the service is matched by if left out.'),
      query('ip', 'The client’s address.'),
      query('region', 'The region header, else the gateway’s own region, if left out.'),
    ],
    answers: { 200: json('The decision.', services.explainBody), ...BAD_REQUEST, ...NOT_FOUND },
  },
  {
    method: 'put',
    path: `${API}/services/:name/weight`,
    id: 'setWeight',
    tag: 'services',
    summary: 'Sets the weight of a canary, at once; the config file stays as it is',
    params: [
      {
        name: 'If-Match',
        in: 'header',
        description: 'Done only while the revision is this one, such as `"12"`; `*` for any.',
        schema: string,
      },
    ],
    body: { required: true, schema: services.setWeightBody.ref },
    answers: {
      200: json('It is in force.', services.weightSetBody, ETAG),
      400: refused({
        bad_request: 'the URL, If-Match or the body makes no sense; the message says which.',
        unknown_version: 'the version is no canary of the service.',
        ambiguous_canary: 'there are several canaries; name one.',
        weights_over_100: 'all canaries together would get more than everyone.',
      }),
      404: refused({
        unknown_service: 'there is no such service.',
        no_rollout: 'its rollout has just gone.',
      }),
      409: refused({
        no_canary: 'the service has no canary.',
        rollout_rules: 'its rollout decides, and no step of it runs.',
        refused: 'the rollout is not in a state for it.',
        blocked: 'the rollout’s stored state cannot be used.',
      }),
      412: refused({ revision_changed: 'the revision is another by now; read again.' }),
      ...STORE_FAILED,
      ...BAD_BODY,
    },
  },
];

const VERBS: Readonly<Record<RolloutVerb, string>> = {
  start: 'Begins the rollout',
  promote: 'Ends a pause or, with `full`, skips all steps that are left',
  pause: 'Pauses the rollout',
  resume: 'Takes a pause back',
  abort: 'Gives everyone stable, at once',
  retry: 'Begins an aborted rollout again',
  undo: 'Takes back a rollout, also one that was completed',
};

const ROLLOUTS: readonly Operation[] = [
  {
    method: 'get',
    path: `${API}/rollouts`,
    id: 'listRollouts',
    tag: 'rollouts',
    summary: 'All rollouts',
    answers: { 200: json('The rollouts.', rollouts.rolloutsBody) },
  },
  {
    method: 'get',
    path: `${API}/rollouts/:name`,
    id: 'getRollout',
    tag: 'rollouts',
    summary: 'The rollout of one service: phase and why, steps, analyses, gates, traffic of its versions',
    answers: { 200: json('The rollout.', rollouts.rollout), ...NO_ROLLOUT },
  },
  {
    method: 'get',
    path: `${API}/rollouts/:name/verdict`,
    id: 'getVerdict',
    tag: 'rollouts',
    summary: 'What the gates say, also of a service without a rollout',
    params: [query('revision', 'Of the canary that the question is about.')],
    answers: { 200: json('The verdict.', rollouts.verdictBody), ...BAD_REQUEST, ...NOT_FOUND },
  },
  {
    method: 'post',
    path: `${API}/rollouts/:name/gate`,
    id: 'askGate',
    tag: 'rollouts',
    summary: 'Asks the gates for yes or no, as webhooks of other controllers want it',
    params: [
      query('ask', 'What is asked.', { type: 'string', enum: [...GATE_ASKS] }, true),
      query('revision', 'Of the canary that the question is about.'),
    ],
    body: { required: false, description: 'Any JSON; it changes no answer.', schema: {} },
    answers: {
      200: json('Yes.', rollouts.gateBody),
      409: refused({ not_now: 'no.' }),
      ...BAD_REQUEST,
      ...NOT_FOUND,
      ...BAD_BODY,
    },
  },
  {
    method: 'get',
    path: `${API}/rollouts/:name/history`,
    id: 'getHistory',
    tag: 'rollouts',
    summary: 'What happened, when, by whom and why',
    params: [query('limit', 'The newest only, so many.', { type: 'integer', minimum: 1, maximum: 999_999 })],
    answers: { 200: json('The history.', rollouts.historyBody), ...BAD_REQUEST, ...NO_ROLLOUT },
  },
  ...ROLLOUT_VERBS.map(command),
];

function command(verb: RolloutVerb): Operation {
  return {
    method: 'post',
    path: `${API}/rollouts/:name/${verb}`,
    id: `${verb}Rollout`,
    tag: 'rollouts',
    summary: VERBS[verb],
    params: [
      query('hook', 'Who calls: the body is what that controller tells of itself.', {
        type: 'string',
        enum: ['flagger'],
      }),
    ],
    body: {
      required: false,
      description: 'With `hook` it is what the other controller tells of itself, and need not be like this.',
      schema: rollouts.commandBody.ref,
    },
    answers: {
      200: json('The rollout as it is afterwards.', rollouts.rollout),
      409: refused({
        refused: 'not in the state that it is in; the message says what would be right.',
        blocked: 'its stored state cannot be used.',
      }),
      ...STORE_FAILED,
      ...BAD_REQUEST,
      ...NO_ROLLOUT,
      ...BAD_BODY,
    },
  };
}

const EXPERIMENTS: readonly Operation[] = [
  {
    method: 'get',
    path: `${API}/experiments`,
    id: 'listExperiments',
    tag: 'experiments',
    summary: 'All experiments',
    answers: { 200: json('The experiments.', live.experimentsBody) },
  },
  {
    method: 'get',
    path: `${API}/experiments/:name`,
    id: 'getExperiment',
    tag: 'experiments',
    summary: 'The experiment of one service: verdict, variants, when a decision is expected',
    answers: { 200: json('The experiment.', live.experiment), ...NO_EXPERIMENT },
  },
  {
    method: 'get',
    path: `${API}/experiments/:name/timeline`,
    id: 'getExperimentTimeline',
    tag: 'experiments',
    summary: 'The intervals of an experiment over time',
    answers: { 200: json('The timeline.', live.experimentTimeline), ...BAD_REQUEST, ...NO_EXPERIMENT },
  },
  {
    method: 'post',
    path: `${API}/feedback`,
    id: 'sendFeedback',
    tag: 'experiments',
    summary: 'What became of answers: one item or many; some refused are no error, the answer counts them',
    body: {
      required: true,
      description: 'Up to 2 MiB.',
      schema: feedbackBodySchema(live.feedbackItem),
    },
    answers: { 200: json('What became of the items.', live.feedbackSummary), ...BAD_REQUEST, ...BAD_BODY },
  },
];

const LIVE: readonly Operation[] = [
  {
    method: 'get',
    path: `${API}/services/:name/timeline`,
    id: 'getTimeline',
    tag: 'live',
    summary: 'A service over time',
    params: [
      query('step', '1 s for the last 15 minutes, 15 s for the last 24 hours.', {
        type: 'string',
        enum: [...TIMELINE_STEPS],
        default: TIMELINE_STEPS[0],
      }),
    ],
    answers: { 200: json('The timeline.', live.timeline), ...BAD_REQUEST, ...NOT_FOUND },
  },
  {
    method: 'get',
    path: `${API}/events`,
    id: 'streamEvents',
    tag: 'live',
    summary: 'What changes, as server-sent events, until the reader goes',
    params: [query('service', 'Besides the overview: what concerns this one.')],
    answers: {
      200: {
        description:
          'Events, each with a name and one line of JSON. `overview` comes at once and then every second, so a silence of several seconds means that the data is stale; the others come with `service` only.',
        content: {
          'text/event-stream': {
            schema: string,
            'x-events': Object.fromEntries(Object.entries(live.EVENTS).map(([name, { ref }]) => [name, ref])),
          },
        },
      },
      503: refused(
        { too_many_streams: 'as many streams are open as there may be.' },
        { 'retry-after': { schema: string } },
      ),
      ...BAD_REQUEST,
      ...NOT_FOUND,
    },
  },
];

const PROCESS: readonly Operation[] = [
  {
    method: 'get',
    path: '/healthz',
    id: 'isAlive',
    tag: 'process',
    summary: 'The process runs',
    access: 'everyone',
    answers: {
      200: {
        description: 'It does.',
        content: {
          'application/json': {
            schema: { type: 'object', required: ['status'], properties: { status: { const: 'ok' } } },
          },
        },
      },
    },
  },
  {
    method: 'get',
    path: '/readyz',
    id: 'isReady',
    tag: 'process',
    summary: 'It takes users; with reloads and endpoints in detail',
    access: 'everyone',
    answers: { 200: json('It does.', live.readyBody), 503: json('It starts or drains.', live.readyBody) },
  },
  {
    method: 'get',
    path: '/metrics',
    id: 'getMetrics',
    tag: 'process',
    summary: 'Metrics, for Prometheus',
    answers: {
      200: {
        description: 'Every metric.',
        content: { 'text/plain': { schema: string }, 'application/openmetrics-text': { schema: string } },
      },
    },
  },
  {
    method: 'get',
    path: `${API}/openapi.json`,
    id: 'getDescription',
    tag: 'process',
    summary: 'This description',
    answers: {
      200: {
        description: 'OpenAPI 3.1.',
        content: {
          'application/json': { schema: { type: 'object', required: ['openapi', 'info', 'paths'] } },
        },
      },
    },
  },
  {
    method: 'get',
    path: '/',
    id: 'getIndex',
    tag: 'process',
    summary: 'The dashboard for people, a list of the endpoints for programs',
    access: 'host',
    answers: {
      200: {
        description: 'By `Accept`.',
        content: { 'text/plain': { schema: string }, 'text/html': { schema: string } },
      },
    },
  },
];

export const OPERATIONS: readonly Operation[] = [
  ...SERVICES,
  ...ROLLOUTS,
  ...EXPERIMENTS,
  ...LIVE,
  ...PROCESS,
];

/** Files of the dashboard, which are no part of the API. */
export const UNDESCRIBED: readonly string[] = ['/dashboard/:file'];
