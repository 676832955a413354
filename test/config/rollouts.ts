import type { RolloutPlan } from '../../src/core/rollout/plan.ts';
import { compiled, type InspectOptions, indent, TWO_VERSIONS } from './support.ts';

/** Configs with a rollout, as texts. */

/** A service with a rollout of these keys, and templates if there are any. */
export function withRollout(keys: string, templates = '', more = ''): string {
  const rollout = `rollout:\n${indent(keys, 2)}`;
  const service = `services:\n  a:\n${indent(`${TWO_VERSIONS}${more}${rollout}`, 4)}`;
  return templates === '' ? `${service}\n` : `${service}\nanalysisTemplates:\n${indent(templates, 2)}\n`;
}

/** A rollout of one step. */
export const withStep = (step: string, templates = '', more = '') =>
  withRollout(`steps:\n  - ${step}`, templates, more);

export const ONE_STEP = 'steps: [{ setWeight: 5 }]\n';

/** A rollout that measures one template, `t`, with these keys. */
export const withTemplate = (keys: string, analysis = 'analysis: { templates: [t] }') =>
  withRollout(`${ONE_STEP}${analysis}`, `t:\n${indent(keys, 2)}`);

export const PROVIDER = 'provider: { coalmine: { measure: successRate } }';

/** A template with one metric of these keys, in one line, besides name and provider. */
export const withMetric = (keys: string, args = '', given = '') =>
  withTemplate(
    `${args}metrics:\n  - name: m\n    ${PROVIDER}\n${keys === '' ? '' : indent(keys, 4)}`,
    `analysis: { templates: [t]${given === '' ? '' : `, args: ${given}`} }`,
  );

/** A template with one metric that has this provider. */
export const withProvider = (provider: string) =>
  withTemplate(`metrics:\n  - name: m\n    provider:\n${indent(provider, 6)}`);

export function planOf(text: string, options: InspectOptions = {}): RolloutPlan {
  const [plan] = compiled(text, options).rollouts;
  if (plan === undefined) throw new Error('no rollout');
  return plan;
}
