import Type from 'typebox';
import { DEFAULTS } from '../defaults.ts';
import { duration, section, share, text } from './build.ts';

/** Business figures: how their feedback is signed, and experiments on them. */

export const kpiSchema = section(
  {
    secret: Type.String({
      description:
        'Key that signs `x-prediction-id`, 16 characters at least, the same in every replica. Take it from an environment variable rather than writing it here.',
      minLength: 16,
      maxLength: 1_024,
      'x-secret': true,
      'x-type': 'text (16 characters at least)',
      'x-default': 'made at start: ids end with the process, and no other replica knows them',
    }),
    expires: duration(
      { min: '1m', max: '365d' },
      { description: 'How long feedback on an answer is taken.', default: DEFAULTS.kpi.expires },
    ),
  },
  {
    description:
      'Feedback on answers. Those of services with a KPI gate or an experiment carry `x-prediction-id`, which `POST /api/v1/feedback` takes.',
  },
);

export const experimentSchema = section(
  {
    alpha: share(0.0001, 0.2, {
      description:
        'Greatest probability of any wrong conclusion, for the whole experiment and all pairs of its versions.',
      default: DEFAULTS.experiment.alpha,
    }),
    variants: Type.Array(text('name', 'a version', { description: 'A version.' }), {
      description: 'The versions that are compared: stable, and one or more of the canaries.',
      minItems: 2,
      maxItems: 17,
      uniqueItems: true,
      'x-type': 'a list of versions',
      'x-default': 'stable and every canary',
      'x-hint': 'write a list such as [v1, v2]',
    }),
  },
  {
    description:
      'An A/B test at the weights of the service: it names a winner, or says that the versions are equivalent, and rolls nothing back; gates beside it do. Not beside a rollout.',
    'x-default': 'none',
    'x-hint': 'write { kpi: click, variants: [v1, v2] }',
  },
  { kpi: text('name', 'a name', { description: 'The KPI, as feedback names it.' }) },
);
