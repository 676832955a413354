import type { Service } from '../../core/model.ts';
import type { ExperimentView } from '../judge/experiment-view.ts';
import type { OverviewService, OverviewVersion, RolloutSummary } from '../live-views.ts';
import type { Gain } from '../timeline/gain.ts';
import { type EndpointHealth, summaryOf } from '../views.ts';

export interface OverviewDeps {
  endpoints(): readonly EndpointHealth[];
  setByHand(service: Service): boolean;
  rollout(service: string): RolloutSummary | null;
  experiments(): readonly ExperimentView[];
  lately(service: string, version: string): Gain | null;
}

export function overviewServices(deps: OverviewDeps, services: readonly Service[]): OverviewService[] {
  const health = new Map<string, EndpointHealth[]>();
  for (const one of deps.endpoints()) {
    const own = health.get(one.service);
    if (own === undefined) health.set(one.service, [one]);
    else own.push(one);
  }
  const experiments = new Map(deps.experiments().map((view) => [view.service, view]));
  return services.map((service) => {
    const { name } = service;
    const summary = summaryOf(service, health.get(name) ?? [], deps.setByHand(service));
    const { match, mirror, weightSetByHand } = summary;
    const experiment = experiments.get(name);
    return {
      name,
      match,
      versions: summary.versions.map((version) => ({
        ...version,
        ...traffic(deps.lately(name, version.name)),
      })),
      mirror,
      weightSetByHand,
      rollout: deps.rollout(name),
      experiment: experiment === undefined ? null : { state: experiment.state, text: experiment.text },
    };
  });
}

function traffic(gain: Gain | null): Pick<OverviewVersion, 'ratePerS' | 'errorShare' | 'p99Ms'> {
  if (gain === null) return { ratePerS: 0, errorShare: null, p99Ms: null };
  return {
    ratePerS: rounded(gain.ratePerS, 100) ?? 0,
    errorShare: rounded(gain.errorShare, 100_000),
    p99Ms: rounded(gain.quantileMs(0.99), 100),
  };
}

function rounded(value: number, factor: number): number | null {
  return Number.isNaN(value) ? null : Math.round(value * factor) / factor;
}
