import type { ServiceJudge } from '../core/judge/service.ts';
import type { ListenerLimits, ListenerSettings, Split } from '../core/model.ts';
import type { RolloutPlan } from '../core/rollout/plan.ts';
import type { TracingSettings } from '../core/trace/span.ts';
import { compileJudges } from './compile/judge.ts';
import { compileRollouts } from './compile/rollout.ts';
import { type CompileInputs, compileService } from './compile/service.ts';
import { compileTracing } from './compile/tracing.ts';
import { DEFAULTS } from './defaults.ts';
import { readHost, readListen, readRange } from './forms/addresses.ts';
import { taken } from './forms/reading.ts';
import { bytesOf, msOf } from './quantity.ts';
import type { RawConfig } from './schema.ts';

export interface KpiSettings {
  /** Signs and checks prediction ids; one of this process only, where the file gives none. */
  readonly secret: string;
  /** How long feedback on an answer is taken. */
  readonly expiresMs: number;
}

export interface AdminSettings {
  readonly host: string;
  readonly port: number;
  readonly token: string | null;
  readonly allowedHosts: readonly string[];
}

/** A config in the terms of the process; plain data. */
export interface Config {
  readonly listener: ListenerSettings;
  readonly admin: AdminSettings;
  readonly log: { readonly level: string };
  /** Every stage is 0; `carryStages` makes a Split of it. */
  readonly split: Omit<Split, 'revision'>;
  /** Of the services that have one, in the order of the file. */
  readonly rollouts: readonly RolloutPlan[];
  /** Of the services whose answers are read or judged, in the order of the file. */
  readonly judges: readonly ServiceJudge[];
  readonly kpi: KpiSettings;
  /** Null: nothing is traced. */
  readonly tracing: TracingSettings | null;
  /** Folder for the states of rollouts, as it can be opened from here. */
  readonly stateDir: string;
  /** Every file that was read, the config file first. */
  readonly files: readonly string[];
}

/** From a checked file; `region` is the file's or the environment's. Throws only on a defect of the check. */
export function compileConfig(
  raw: RawConfig,
  region: string | null,
  inputs: CompileInputs,
): Omit<Config, 'files'> {
  const admin = taken(readListen(raw.admin?.listen ?? DEFAULTS.adminListen));
  const kpi = compileKpi(raw, inputs);
  const judges = compileJudges(raw, kpi.secret);
  const judgeOf = new Map(judges.map((judge) => [judge.service, judge]));
  return {
    listener: compileListener(raw, inputs),
    admin: {
      host: admin.host,
      port: admin.port,
      token: raw.admin?.token ?? null,
      allowedHosts: (raw.admin?.allowedHosts ?? []).map((host) => taken(readHost(host))),
    },
    log: { level: raw.log?.level ?? DEFAULTS.log.level },
    split: {
      region: region?.toLowerCase() ?? null,
      trustProxy: [...new Set((raw.trustProxy ?? []).flatMap((range) => taken(readRange(range))))],
      accessLogShare: raw.log?.accessLog ?? DEFAULTS.log.accessLog,
      services: Object.entries(raw.services).map(([name, service]) =>
        compileService(name, service, judgeOf.get(name) ?? null, inputs),
      ),
    },
    rollouts: compileRollouts(raw, inputs.resolveFile),
    judges,
    kpi,
    tracing: compileTracing(raw.tracing),
    stateDir: raw.state?.dir === undefined ? inputs.stateDir : inputs.resolveFile(raw.state.dir),
  };
}

function compileKpi({ kpi }: RawConfig, inputs: CompileInputs): KpiSettings {
  return { secret: kpi?.secret ?? inputs.kpiSecret, expiresMs: msOf(kpi?.expires ?? DEFAULTS.kpi.expires) };
}

function compileListener(raw: RawConfig, inputs: CompileInputs): ListenerSettings {
  const { host, port } = taken(readListen(raw.listen ?? DEFAULTS.listen));
  const { tls } = raw;
  return {
    host,
    port,
    tls: tls === undefined ? null : { cert: inputs.fileText(tls.cert), key: inputs.fileText(tls.key) },
    limits: compileLimits(raw.limits),
    drain: {
      delayMs: msOf(raw.drain?.delay ?? DEFAULTS.drain.delay),
      timeoutMs: msOf(raw.drain?.timeout ?? DEFAULTS.drain.timeout),
    },
  };
}

function compileLimits(raw: RawConfig['limits']): ListenerLimits {
  const base = DEFAULTS.limits;
  return {
    maxHeaderBytes: bytesOf(raw?.maxHeaderBytes ?? base.maxHeaderBytes),
    maxHeaders: raw?.maxHeaders ?? base.maxHeaders,
    headersTimeoutMs: msOf(raw?.headersTimeout ?? base.headersTimeout),
    bodyIdleTimeoutMs: msOf(raw?.bodyIdleTimeout ?? base.bodyIdleTimeout),
    minBodyBytesPerSecond: raw?.minBodyBytesPerSecond ?? base.minBodyBytesPerSecond,
    answerIdleTimeoutMs: msOf(raw?.answerIdleTimeout ?? base.answerIdleTimeout),
    keepAliveMs: msOf(raw?.keepAlive ?? base.keepAlive),
    maxConnections: raw?.maxConnections ?? base.maxConnections,
  };
}
