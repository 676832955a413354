import type { Config } from '../../src/config/load.ts';
import type {
  Command,
  CommandOutcome,
  ExperimentView,
  HistoryView,
  KpiFace,
  LiveFace,
  LiveSink,
  RolloutsFace,
  RolloutView,
} from '../../src/control/api.ts';
import type { Service, Share } from '../../src/core/model.ts';
import type { Clock, Log } from '../../src/ports.ts';
import { listener, service as makeService, type ServiceOptions, version } from '../support/split.ts';

/** Configs and doubles for the control path. */

export interface ConfigOptions extends Partial<Omit<Config, 'split'>> {
  readonly services?: readonly Service[];
}

/** What load.ts would give: stages are 0, and so is nothing else. */
export function config({ services = [], ...rest }: ConfigOptions = {}): Config {
  return {
    listener: listener(),
    admin: { host: '127.0.0.1', port: 0, token: null, allowedHosts: [] },
    log: { level: 'info' },
    files: ['coalmine.yaml'],
    rollouts: [],
    judges: [],
    kpi: { secret: 'a secret of tests', expiresMs: 60_000 },
    tracing: null,
    stateDir: '',
    split: { region: null, trustProxy: [], accessLogShare: 0, services },
    ...rest,
  };
}

/** `iris-api`: stable v1, canary v2 with a share, v3 idle. */
export function iris(weightBp: number, options: ServiceOptions = {}): Service {
  const shares: Share[] = [{ version: 1, weightBp }];
  const versions = ['v1', 'v2', 'v3'].map((name) => version(name, `http://127.0.0.1:1/${name}`.slice(0, 18)));
  return makeService(versions, { name: 'iris-api', shares, ...options });
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

export interface MemoryLog extends Log {
  readonly lines: LogLine[];
}

export function memoryLog(): MemoryLog {
  const lines: LogLine[] = [];
  const at = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export const frozenClock: Clock = { nowMs: () => 0, wallMs: () => 1_700_000_000_000 };

/** A rollout of `iris-api` in the pause of its second step. */
export function rolloutView(changes: Partial<RolloutView> = {}): RolloutView {
  return {
    service: 'iris-api',
    number: 3,
    phase: 'Paused',
    status: 'stepping',
    message: 'step 2 pauses for 5m',
    stable: 'v1',
    canary: 'v2',
    weight: 5,
    scope: null,
    scopes: [],
    step: 1,
    steps: [
      { text: 'setWeight 5', state: 'done' },
      { text: 'pause 5m', state: 'current' },
      { text: 'setWeight 100', state: 'pending' },
    ],
    nextInMs: 191_400,
    userPaused: false,
    hold: null,
    analyses: [],
    gates: [],
    verdict: null,
    versions: [],
    revision: 12,
    timeScale: 1,
    began: '2026-01-02T03:04:05.678Z',
    ...changes,
  };
}

export function historyView(changes: Partial<HistoryView> = {}): HistoryView {
  return {
    at: '2026-01-02T03:04:05.678Z',
    number: 3,
    kind: 'started',
    actor: 'coalmine',
    cause: 'v2 is new',
    step: null,
    weight: 0,
    evidence: [],
    ...changes,
  };
}

/** Rollouts that are what a test says they are, and record what they are told. */
export interface FakeRollouts extends RolloutsFace {
  readonly views: Map<string, RolloutView>;
  readonly past: Map<string, HistoryView[]>;
  readonly asked: { readonly name: string; readonly command: Command; readonly actor: string }[];
  /** What the next commands are answered; null: yes, and the view as it is. */
  answer: CommandOutcome | null;
}

export function fakeRollouts(...views: readonly RolloutView[]): FakeRollouts {
  const fake: FakeRollouts = {
    views: new Map(views.map((view) => [view.service, view])),
    past: new Map(views.map((view) => [view.service, []])),
    asked: [],
    answer: null,
    rollouts: () => [...fake.views.values()],
    rollout: (name) => fake.views.get(name) ?? null,
    history: (name) => fake.past.get(name) ?? null,
    async rolloutCommand(name, command, actor) {
      fake.asked.push({ name, command, actor });
      const view = fake.views.get(name);
      if (fake.answer !== null) return fake.answer;
      return view === undefined
        ? { ok: false, code: 'no_rollout', message: `${name} has no rollout` }
        : { ok: true, view };
    },
  };
  return fake;
}

/** Feedback that is recorded and always taken, and experiments that are what a test says they are. */
export interface FakeKpis extends KpiFace {
  readonly views: Map<string, ExperimentView>;
  /** One list a call. */
  readonly reported: (readonly unknown[])[];
}

export function fakeKpis(...views: readonly ExperimentView[]): FakeKpis {
  const fake: FakeKpis = {
    views: new Map(views.map((view) => [view.service, view])),
    reported: [],
    async feedback(items) {
      fake.reported.push(items);
      return { accepted: items.length, duplicate: 0, forged: 0, expired: 0, malformed: 0, unknown: 0 };
    },
    experiments: () => [...fake.views.values()],
    experiment: (name) => fake.views.get(name) ?? null,
  };
  return fake;
}

/** Shows what a test puts in, and holds on to those who watch. */
export interface FakeLive extends LiveFace {
  readonly sinks: Map<LiveSink, string | null>;
  readonly timelines: Map<string, NonNullable<ReturnType<LiveFace['timeline']>>>;
  readonly experimentTimelines: Map<string, NonNullable<ReturnType<LiveFace['experimentTimeline']>>>;
  ahead: ReturnType<LiveFace['coming']>;
  /** To all who watch. */
  tell: LiveSink;
}

export function fakeLive(): FakeLive {
  const fake: FakeLive = {
    sinks: new Map(),
    timelines: new Map(),
    experimentTimelines: new Map(),
    ahead: [],
    tell(event) {
      for (const sink of [...fake.sinks.keys()]) sink(event);
    },
    timeline: (name) => fake.timelines.get(name) ?? null,
    experimentTimeline: (name) => fake.experimentTimelines.get(name) ?? null,
    coming: () => fake.ahead,
    watch(service, sink) {
      fake.sinks.set(sink, service);
      return () => void fake.sinks.delete(sink);
    },
  };
  return fake;
}

/** v2 against v1 on clicks, undecided. */
export function experimentView(changes: Partial<ExperimentView> = {}): ExperimentView {
  const none = { remainingMs: null, guardrails: null, stopped: null };
  return {
    service: 'iris-api',
    kpi: 'click',
    alpha: 0.05,
    began: '2026-01-02T03:04:05.678Z',
    elapsedMs: 7_200_000,
    state: 'continue',
    winner: null,
    leaders: ['v1', 'v2'],
    remainingMs: 11_520_000,
    text: 'click with v2 1.085 times as often as with v1 (0.962 to 1.224, 1,230 events): undecided',
    sampleRatio: { evidence: 0.2, needed: 1000, share: 0 },
    problems: [],
    variants: [
      {
        ...none,
        name: 'v1',
        weight: 50,
        requests: 24_010,
        users: 12_100,
        converted: 590,
        events: 702,
        conversion: { value: 0.0488, low: 0.043, high: 0.055, n: 12_100 },
        state: 'control',
        ratio: null,
        text: '',
      },
      {
        ...none,
        name: 'v2',
        weight: 50,
        requests: 23_950,
        users: 12_080,
        converted: 640,
        events: 771,
        conversion: { value: 0.053, low: 0.047, high: 0.0595, n: 12_080 },
        state: 'continue',
        ratio: { value: 1.085, low: 0.962, high: 1.224, n: 1_230 },
        remainingMs: 11_520_000,
        text: 'click with v2 1.085 times as often as with v1 (0.962 to 1.224, 1,230 events): undecided',
        guardrails: { state: 'CONTINUE', text: 'Continue: 358 more first requests are needed' },
      },
    ],
    ...changes,
  };
}
