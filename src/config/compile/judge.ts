import type { ExperimentPlan, ServiceJudge } from '../../core/judge/service.ts';
import { DEFAULTS } from '../defaults.ts';
import { rolesOf } from '../roles.ts';
import type { RawConfig, RawService } from '../schema.ts';
import { compileGates } from './gates.ts';
import { compileObserve } from './observe.ts';

/** What is judged of a checked service; null where nothing is, nor read. `secret` signs prediction ids. */
export function compileJudge(service: string, raw: RawService, secret: string): ServiceJudge | null {
  const plan = compileGates(raw.gates);
  const experiment = compileExperiment(raw);
  const observe = compileObserve(raw);
  if (plan.gates.length === 0 && experiment === null && observe === null) return null;
  const canary = rolesOf(raw).canaries[0]?.version;
  const hasKpi = experiment !== null || plan.gates.some(({ kind }) => kind === 'kpi');
  return {
    service,
    plan,
    judged: {
      canary: canary === undefined ? -1 : Object.keys(raw.versions).indexOf(canary),
      slow: plan.gates.flatMap((gate) =>
        gate.kind === 'latency' ? [{ gate: gate.name, thresholdMs: gate.thresholdMs }] : [],
      ),
      unsure: plan.gates.flatMap((gate) =>
        gate.kind === 'confidence' ? [{ gate: gate.name, below: gate.mean }] : [],
      ),
      observe,
      predictionSecret: hasKpi ? secret : null,
    },
    scoreRange: observe?.scoreRange ?? DEFAULTS.predictions.scoreRange,
    experiment,
    revisions: Object.fromEntries(
      Object.entries(raw.versions).flatMap(([name, { revision }]) =>
        revision === undefined ? [] : [[name, revision]],
      ),
    ),
  };
}

/** Those of all services that have one, in the order of the file. */
export function compileJudges(raw: RawConfig, secret: string): ServiceJudge[] {
  return Object.entries(raw.services).flatMap(([name, service]) => compileJudge(name, service, secret) ?? []);
}

function compileExperiment(raw: RawService): ExperimentPlan | null {
  const { experiment } = raw;
  if (experiment === undefined) return null;
  const { stable, canaries } = rolesOf(raw);
  if (stable === null) throw new Error('compiled before it was checked: an experiment without stable');
  const others = experiment.variants ?? canaries.map(({ version }) => version);
  return {
    kpi: experiment.kpi,
    alpha: experiment.alpha ?? DEFAULTS.experiment.alpha,
    variants: [stable, ...others.filter((name) => name !== stable)],
  };
}
