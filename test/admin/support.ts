import http from 'node:http';
import type { Test } from 'tap';
import type { AccessSettings } from '../../src/admin/auth.ts';
import type { PageFiles } from '../../src/admin/page-files.ts';
import { type Admin, startAdmin } from '../../src/admin/server.ts';
import { Streams } from '../../src/admin/streams.ts';
import type {
  ControlApi,
  DescribedRequest,
  Phase,
  WeightCommand,
  WeightOutcome,
} from '../../src/control/api.ts';
import { reportOf } from '../../src/control/judge/report.ts';
import { type JudgedView, judgedView } from '../../src/control/judge/view.ts';
import type { ServiceJudge } from '../../src/core/judge/service.ts';
import { serviceJudge } from '../control/judge/support.ts';
import {
  type FakeKpis,
  type FakeLive,
  type FakeRollouts,
  fakeKpis,
  fakeLive,
  fakeRollouts,
  type MemoryLog,
  memoryLog,
} from '../control/support.ts';

/** An admin port over a control path that records what it is asked. */

export interface FakeControl extends ControlApi {
  phaseNow: Phase;
  readonly asked: (DescribedRequest | WeightCommand)[];
  /** Empty; what is put in is served. */
  readonly fake: FakeRollouts;
  readonly kpis: FakeKpis;
  readonly live: FakeLive;
  outcome: WeightOutcome;
  judge: ServiceJudge | null;
  /** Of a service without a rollout. */
  judged: JudgedView;
  /** Thrown by services(), for the unexpected. */
  fault: Error | null;
}

export function fakeControl(): FakeControl {
  const asked: FakeControl['asked'] = [];
  const fake = fakeRollouts();
  const kpis = fakeKpis();
  const live = fakeLive();
  const control: FakeControl = {
    phaseNow: 'ready',
    ...fake,
    ...kpis,
    ...live,
    coming: (...asked) => live.coming(...asked),
    asked,
    fake,
    kpis,
    live,
    fault: null,
    judge: serviceJudge({ revisions: { v2: '2.1.0' } }),
    judged: judgedView(null),
    outcome: {
      ok: true,
      done: {
        service: 'iris-api',
        version: 'v2',
        weight: 20,
        previousWeight: 5,
        stage: 4,
        revision: 13,
        until: 'config',
      },
    },
    revision: () => 12,
    disagreements: (name) =>
      name === 'iris-api'
        ? [
            {
              atMs: 0,
              requestId: 'r',
              clientVersion: 'v1',
              shadowVersion: 'v2',
              client: { a: 1 },
              shadow: { a: 2 },
            },
          ]
        : null,
    services() {
      if (control.fault !== null) throw control.fault;
      return [{ name: 'iris-api' }] as unknown as ReturnType<ControlApi['services']>;
    },
    service: (name) =>
      name === 'iris-api' ? ({ name, revision: 12 } as unknown as ReturnType<ControlApi['service']>) : null,
    explain(name, request) {
      asked.push(request);
      return name === 'iris-api' ? ({ version: 'v2' } as unknown as ReturnType<ControlApi['explain']>) : null;
    },
    verdict(name, revision) {
      const rollout = fake.views.get(name) ?? null;
      const facts = { service: name, canary: 'v2', judge: control.judge, rollout, revision };
      return name === 'iris-api' ? reportOf({ ...facts, judged: rollout ?? control.judged }) : null;
    },
    phase: () => control.phaseNow,
    readiness: () => ({
      status: control.phaseNow,
      revision: 12,
      reload: {
        ok: 1,
        failed: 2,
        failure: { atMs: 0, message: 'the running config is kept', issues: [] },
        restartNeeded: [],
      },
      services: [{ name: 'iris-api', versions: [{ name: 'v1', healthy: 1, total: 1 }] }],
    }),
    async setWeight(_name, command) {
      asked.push(command);
      return control.outcome;
    },
  };
  return control;
}

export interface TestAdmin {
  readonly admin: Admin;
  readonly control: FakeControl;
  readonly streams: Streams;
  readonly log: MemoryLog;
  ask(path: string, options?: Ask): Promise<Answer>;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** States a body of so many bytes and sends none of it: what is refused by its length needs no more. */
  readonly statedBytes?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  json(): Record<string, unknown>;
}

export async function startTestAdmin(
  t: Test,
  access: Partial<AccessSettings> = {},
  page: PageFiles = new Map(),
): Promise<TestAdmin> {
  const control = fakeControl();
  const log = memoryLog();
  const metrics = {
    contentType: (open: boolean) => (open ? 'application/openmetrics-text' : 'text/plain; version=0.0.4'),
    render: async (open: boolean) => (open ? '# EOF\n' : 'up 1\n'),
  };
  const streams = new Streams(log);
  const settings = { host: '127.0.0.1', port: 0, token: null, allowedHosts: [], ...access };
  const admin = await startAdmin(settings, { control, metrics, page, streams, log });
  t.teardown(() => admin.close());
  return { admin, control, streams, log, ask: (path, options) => ask(admin.url, path, options) };
}

/** One request on a connection of its own; the path and Host go out as they are given. */
export function ask(
  url: string,
  path: string,
  { method = 'GET', headers = {}, body, statedBytes }: Ask = {},
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = http.request(
      { hostname, port, method, path, headers: { ...headers, ...lengthOf(statedBytes) }, agent: false },
      async (response) => {
        const parts: Buffer[] = [];
        for await (const part of response) parts.push(part as Buffer);
        const text = Buffer.concat(parts).toString('utf8');
        request.destroy();
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: () => JSON.parse(text) as Record<string, unknown>,
        });
      },
    );
    request.on('error', reject);
    if (statedBytes === undefined) request.end(body);
    else request.flushHeaders();
  });
}

function lengthOf(statedBytes: number | undefined): Record<string, string> {
  return statedBytes === undefined ? {} : { 'content-length': String(statedBytes) };
}
