import { writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { ExplainBody, LiveEvent, TimelineBody } from '../../src/admin/contract.ts';
import { type App, startApp } from '../../src/app.ts';
import { memoryLog } from '../control/support.ts';
import { startEcho } from '../support/echo.ts';
import { Bell, until } from '../support/wait.ts';
import { tempDir, writeConfig, yaml } from './support.ts';

/** What a page sees of a whole gateway with users. */

const ROLLOUT = `    predictions: { class: /server }
    rollout:
      start: manual
      steps: [{ setWeight: 40 }, { pause: {} }, { setWeight: 80 }, { pause: {} }]
`;

async function start(t: Test): Promise<App> {
  const [v1, v2] = [await startEcho(t, 'one'), await startEcho(t, 'two')];
  const text = yaml(v1.url, v2.url, { more: ROLLOUT }).replace('    weight: 5\n', '');
  const file = writeConfig(t, `${text}state: { dir: ${tempDir(t)} }\n`);
  const app = await startApp({ configFile: file, env: {}, log: memoryLog() });
  t.teardown(() => app.close());
  return app;
}

async function get<T>(app: App, path: string): Promise<T> {
  return (await (await fetch(`${app.adminUrl}/api/v1${path}`)).json()) as T;
}

async function command(app: App, verb: string): Promise<void> {
  const response = await fetch(`${app.adminUrl}/api/v1/rollouts/iris-api/${verb}`, { method: 'POST' });
  if (!response.ok) throw new Error(await response.text());
}

type Heard = { readonly kind: string } & Record<string, unknown>;

/** Reads the stream to its end, in the background. */
async function listen(app: App) {
  const response = await fetch(`${app.adminUrl}/api/v1/events?service=iris-api`);
  const heard: Heard[] = [];
  const bell = new Bell();
  const state = { ended: false };
  const reading = async () => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const part of response.body ?? []) {
      text += decoder.decode(part as Uint8Array, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, kind, data] = /^event: (\w+)\ndata: (.+)$/.exec(block) ?? [];
        if (kind !== undefined && data !== undefined) heard.push({ kind, ...JSON.parse(data) });
      }
      bell.ring();
    }
  };
  void reading().finally(() => {
    state.ended = true;
    bell.ring();
  });
  return {
    heard,
    state,
    until: (holds: (event: Heard) => boolean, what: string) =>
      bell.until(
        () => heard.some(holds),
        () => `${what}; heard: ${heard.map(({ kind }) => kind).join()}`,
      ),
    untilEnd: () =>
      bell.until(
        () => state.ended,
        () => 'the end of the stream',
      ),
  };
}

/** Requests a second of each version. */
function ratesOf({ overview }: Heard): number[] {
  const { services } = overview as Extract<LiveEvent, { kind: 'overview' }>['overview'];
  return services.flatMap(({ versions }) => versions.map(({ ratePerS }) => ratePerS));
}

t.test('a rollout, its users and its history, live and over time', async (t) => {
  const app = await start(t);
  const stream = await listen(app);
  await stream.until(({ kind }) => kind === 'rollout', 'how it stands');
  t.equal(stream.heard[0]?.kind, 'overview' satisfies LiveEvent['kind']);

  await command(app, 'start');
  await stream.until((event) => JSON.stringify(event).includes('"weight":40'), 'the first weight');
  await stream.until(({ kind }) => kind === 'history', 'its history');
  let sent = 0;
  const users = setInterval(() => {
    for (let i = 0; i < 5; i++) {
      sent++;
      void fetch(app.gatewayUrl, { headers: { 'x-user-id': `u${sent}` } }).then((answer) => answer.text());
    }
  }, 25);
  t.teardown(() => clearInterval(users));
  const answers = (view: TimelineBody, version: string) =>
    view.versions
      .find(({ name }) => name === version)
      ?.classes.map(
        ({ name, counts }) => [name, counts.reduce<number>((sum, count) => sum + (count ?? 0), 0)] as const,
      );
  let view: TimelineBody | null = null;
  await until(async () => {
    view = await get<TimelineBody>(app, '/services/iris-api/timeline');
    return (answers(view, 'v2')?.[0]?.[1] ?? 0) > 20;
  }, 'answers of v2 in the timeline');
  const told = view as unknown as TimelineBody;
  t.strictSame(
    [answers(told, 'v1')?.map(([name]) => name), answers(told, 'v2')?.map(([name]) => name)],
    [['one'], ['two']],
    'each version by what it answers',
  );
  t.ok((answers(told, 'v1')?.[0]?.[1] ?? 0) + (answers(told, 'v2')?.[0]?.[1] ?? 0) <= sent, 'and none twice');
  const v2 = told.versions[1];
  t.equal(
    v2?.weight.findLast((value) => value !== null),
    40,
  );
  t.ok(v2?.p99Ms.some((value) => value !== null && value > 0));
  t.ok(told.atMs.every((at, i) => i === 0 || at - (told.atMs[i - 1] ?? 0) === 1_000));
  await stream.until(
    ({ kind, point }) => kind === 'point' && JSON.stringify(point).includes('"classes":{"two":'),
    'a point with answers of v2',
  );
  await stream.until(
    (event) => event.kind === 'overview' && ratesOf(event).every((rate) => rate > 0),
    'rates',
  );
  clearInterval(users);
  t.strictSame(
    await get(app, '/services/iris-api/timeline?step=15s').then((body) => (body as TimelineBody).stepMs),
    15_000,
  );
});

t.test('a command shows in the stream, with its entry', async (t) => {
  const app = await start(t);
  await command(app, 'start');
  const stream = await listen(app);
  await command(app, 'pause');
  await stream.until(
    ({ rollout }) => (rollout as { userPaused?: boolean })?.userPaused === true,
    'the pause',
  );
  await stream.until(
    ({ kind, entries }) => kind === 'history' && JSON.stringify(entries).includes('by hand'),
    'its entry',
  );
  t.notOk(
    stream.heard.some(
      ({ kind, entries }) => kind === 'history' && JSON.stringify(entries).includes('"started"'),
    ),
    'nothing from before',
  );
});

t.test('explain of a rollout under way', async (t) => {
  const app = await start(t);
  const ahead = async () => {
    const { coming } = await get<ExplainBody>(app, '/services/iris-api/explain?key=u42');
    return coming.map(({ step, text }) => [step, text]);
  };
  t.strictSame(await ahead(), [], 'it has not begun');
  await command(app, 'start');
  await until(async () => (await ahead()).length > 0, 'the first step');
  t.strictSame(await ahead(), [
    [2, 'setWeight 80'],
    [4, 'promotion'],
  ]);
  await command(app, 'abort');
  t.strictSame(await ahead(), []);
});

t.test('streams end with the gateway and hold nothing up', async (t) => {
  const app = await start(t);
  const streams = await Promise.all([listen(app), listen(app), listen(app)]);
  await Promise.all(streams.map((stream) => stream.until(() => true, 'a first event')));
  t.match(await (await fetch(`${app.adminUrl}/metrics`)).text(), /^coalmine_event_streams 3$/m);
  await app.close();
  await Promise.all(streams.map((stream) => stream.untilEnd()));
});

t.test('a reload that brings a service in and takes it out is seen', async (t) => {
  const v1 = await startEcho(t, 'one');
  const text = yaml(v1.url, v1.url);
  const other = `  other:\n    match: { path: /other }\n    versions: { a: { url: ${v1.url} } }\n    stable: a\n`;
  const file = writeConfig(t, text);
  const app = await startApp({ configFile: file, env: {}, log: memoryLog() });
  t.teardown(() => app.close());
  const status = async () => (await fetch(`${app.adminUrl}/api/v1/services/other/timeline`)).status;
  t.equal(await status(), 404);
  writeFileSync(file, text + other);
  await app.reload();
  await until(async () => {
    if ((await status()) !== 200) return false;
    return (await get<TimelineBody>(app, '/services/other/timeline')).atMs.length > 0;
  }, 'its columns');
  writeFileSync(file, text);
  await app.reload();
  t.equal(await status(), 404);
});
