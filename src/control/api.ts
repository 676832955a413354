import { carryStages } from '../config/diff.ts';
import type { Service } from '../core/model.ts';
import { type DescribedRequest, type Explanation, explain } from '../core/split/explain.ts';
import type { Log, PatternCompiler } from '../ports.ts';
import type { Holder } from './holder.ts';
import type { ReloadState } from './reload.ts';
import {
  detailOf,
  type EndpointHealth,
  isUsable,
  type ServiceDetail,
  type ServiceSummary,
  summaryOf,
} from './views.ts';
import { isSetByHand, sharesWith, type WeightProblem, withShares } from './weights.ts';

export type { DescribedRequest, Explanation } from '../core/split/explain.ts';
export type { ReloadFailure, ReloadState } from './reload.ts';
export type {
  EndpointHealth,
  RuleView,
  ServiceDetail,
  ServiceSummary,
  VersionDetail,
  VersionSummary,
} from './views.ts';

/** Where the process is in its life. Only `ready` takes new users. */
export type Phase = 'starting' | 'ready' | 'draining';

export interface Readiness {
  readonly status: Phase;
  readonly revision: number;
  readonly reload: ReloadState;
  readonly services: readonly {
    readonly name: string;
    readonly versions: readonly { readonly name: string; readonly healthy: number; readonly total: number }[];
  }[];
}

export interface WeightCommand {
  /** A canary of the service; null: its only one. */
  readonly version: string | null;
  readonly weightBp: number;
  /** Done only while the Split has this revision; null: whatever it is. */
  readonly ifRevision: number | null;
}

export interface WeightSet {
  readonly service: string;
  readonly version: string;
  /** Percent. */
  readonly weight: number;
  readonly previousWeight: number;
  readonly stage: number;
  readonly revision: number;
}

export type WeightRefusal =
  | { readonly code: 'unknown_service'; readonly message: string }
  | { readonly code: 'revision_changed'; readonly message: string }
  | WeightProblem;

export type WeightOutcome =
  | { readonly ok: true; readonly done: WeightSet }
  | { readonly ok: false; readonly refusal: WeightRefusal };

/** All that the surfaces may ask of the control path. Answers are plain data without secrets. */
export interface ControlApi {
  revision(): number;
  services(): ServiceSummary[];
  service(name: string): ServiceDetail | null;
  explain(name: string, request: DescribedRequest): Explanation | null;
  phase(): Phase;
  readiness(): Readiness;
  /** Takes effect at once and lasts until the service's config changes; the file is not touched. */
  setWeight(name: string, command: WeightCommand): WeightOutcome;
}

export interface ControlDeps {
  readonly holder: Holder;
  phase(): Phase;
  reloadState(): ReloadState;
  endpoints(): readonly EndpointHealth[];
  readonly compilePattern: PatternCompiler;
  readonly log: Log;
}

export function createControlApi(deps: ControlDeps): ControlApi {
  const { holder } = deps;
  const find = (name: string) => holder.split().services.find((service) => service.name === name);
  const byHand = (service: Service) => isSetByHand(service, holder.config().split);
  return {
    revision: () => holder.split().revision,
    services() {
      const health = deps.endpoints();
      return holder.split().services.map((service) => summaryOf(service, health, byHand(service)));
    },
    service(name) {
      const service = find(name);
      return service === undefined
        ? null
        : detailOf(holder.split(), service, deps.endpoints(), byHand(service));
    },
    explain(name, request) {
      const service = find(name);
      return service === undefined ? null : explain(holder.split(), service, request, deps.compilePattern);
    },
    phase: deps.phase,
    readiness: () => readinessOf(deps),
    setWeight(name, command) {
      const service = find(name);
      if (service === undefined) return refuse('unknown_service', `there is no service ${name}`);
      return setWeight(deps, service, command);
    },
  };
}

function setWeight(deps: ControlDeps, service: Service, command: WeightCommand): WeightOutcome {
  const { holder, log } = deps;
  const before = holder.split();
  if (command.ifRevision !== null && command.ifRevision !== before.revision) {
    return refuse(
      'revision_changed',
      `the revision is ${before.revision}, not ${command.ifRevision}; read again`,
    );
  }
  const wanted = sharesWith(service, command.version, command.weightBp);
  if (!wanted.ok) return { ok: false, refusal: wanted.problem };
  const index = service.versions.findIndex((version) => version.name === wanted.version);
  const previousBp = service.shares.find((share) => share.version === index)?.weightBp ?? 0;
  if (previousBp !== command.weightBp) {
    holder.swap(carryStages(before, withShares(before, service.name, wanted.shares)));
  }
  const now = holder.split();
  const done: WeightSet = {
    service: service.name,
    version: wanted.version,
    weight: command.weightBp / 100,
    previousWeight: previousBp / 100,
    stage: now.services.find((one) => one.name === service.name)?.stage ?? service.stage,
    revision: now.revision,
  };
  log.info(done, 'weight set by hand');
  return { ok: true, done };
}

function refuse(code: 'unknown_service' | 'revision_changed', message: string): WeightOutcome {
  return { ok: false, refusal: { code, message } };
}

function readinessOf(deps: ControlDeps): Readiness {
  const split = deps.holder.split();
  const health = deps.endpoints();
  return {
    status: deps.phase(),
    revision: split.revision,
    reload: deps.reloadState(),
    services: split.services.map((service) => ({
      name: service.name,
      versions: service.versions.map(({ name, upstream }) => {
        const own = health.filter((one) => one.service === service.name && one.version === name);
        const total = upstream.endpoints.length;
        return { name, healthy: total - own.filter((one) => !isUsable(one)).length, total };
      }),
    })),
  };
}
