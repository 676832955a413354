import t from 'tap';
import type { Config, LoadResult } from '../../src/config/load.ts';
import { createHolder } from '../../src/control/holder.ts';
import { createReloader } from '../../src/control/reload.ts';
import { withShares } from '../../src/control/weights.ts';
import { listener, split } from '../support/split.ts';
import { config, frozenClock, iris, memoryLog } from './support.ts';

const issue = {
  file: 'coalmine.yaml',
  line: 12,
  column: 15,
  path: 'services.iris-api.weight',
  message: 'must be a number',
  fix: 'write weight: 5',
};

/** A reloader whose file holds whatever `files` gives next; the last one stays. */
function setup(first: Config) {
  const holder = createHolder(split(first.split.services), first);
  const log = memoryLog();
  const tls: string[] = [];
  const levels: string[] = [];
  const traced: Config['tracing'][] = [];
  const state = {
    file: { ok: true, config: first } as LoadResult,
    loads: 0,
    refuse: '',
    refuseTls: false,
    refuseRollouts: false,
  };
  const rollouts: string[] = [];
  holder.subscribe(() => {
    if (state.refuse !== '') throw new Error(state.refuse);
  });
  const reloader = createReloader({
    async load() {
      state.loads++;
      const { file } = state;
      await Promise.resolve();
      return file;
    },
    holder,
    setTls(next) {
      if (state.refuseTls) throw new Error('key and certificate do not match');
      tls.push(next.cert);
    },
    setLogLevel: (level) => levels.push(level),
    setTracing: async (tracing) => void traced.push(tracing),
    async prepareRollouts() {
      if (state.refuseRollouts) throw new Error('the disk is full');
      rollouts.push('prepared');
      return {
        apply: (next) => next,
        commit: () => void rollouts.push('committed'),
        rollback: async () => void rollouts.push('rolled back'),
      };
    },
    log,
    clock: frozenClock,
  });
  const write = (next: Config | 'broken') => {
    state.file = next === 'broken' ? { ok: false, issues: [issue] } : { ok: true, config: next };
  };
  return { holder, log, tls, levels, traced, state, reloader, write, rollouts };
}

const weightOf = (holder: ReturnType<typeof setup>['holder']) =>
  holder.split().services[0]?.shares[0]?.weightBp;

t.test('a changed config is taken over', async (t) => {
  const { holder, reloader, write, log } = setup(config({ services: [iris(500)] }));
  const changed = config({ services: [iris(700)] });
  write(changed);
  await reloader.request();
  t.equal(weightOf(holder), 700);
  t.equal(holder.split().revision, 2);
  t.equal(holder.config(), changed);
  t.match(reloader.state(), { ok: 1, failed: 0, failure: null, restartNeeded: [] });
  t.match(log.lines, [{ level: 'info', message: 'config reloaded', fields: { revision: 2 } }]);
});

t.test('a changed share begins a new stage, an untouched service keeps its own', async (t) => {
  const { holder, reloader, write } = setup(config({ services: [iris(500), iris(500, { name: 'other' })] }));
  const stages = () => holder.split().services.map(({ stage }) => stage);
  const [first, second] = stages();
  write(config({ services: [iris(700), iris(500, { name: 'other' })] }));
  await reloader.request();
  t.strictSame(stages(), [(first as number) + 1, second]);
});

t.test('a broken config changes nothing, is logged with its places, shown and counted', async (t) => {
  const { holder, reloader, write, log } = setup(config({ services: [iris(500)] }));
  const before = [holder.split(), holder.config()];
  write('broken');
  await reloader.request();
  t.equal(holder.split(), before[0]);
  t.equal(holder.config(), before[1]);
  const { failure, ...counts } = reloader.state();
  t.match(counts, { ok: 0, failed: 1 });
  t.strictSame(failure?.issues, [issue]);
  t.equal(failure?.atMs, frozenClock.wallMs());
  t.equal(log.lines[0]?.level, 'error');
  t.match(
    log.lines[0]?.message,
    'coalmine.yaml:12:15 services.iris-api.weight: must be a number; write weight: 5',
  );
});

t.test('mending the file clears the failure, also where it is as before', async (t) => {
  const first = config({ services: [iris(500)] });
  const { holder, reloader, write } = setup(first);
  write('broken');
  await reloader.request();
  write(config({ services: [iris(500)] }));
  await reloader.request();
  t.match(reloader.state(), { ok: 1, failed: 1, failure: null });
  t.equal(holder.split().revision, 1, 'nothing was swapped');
});

t.test('a file that did not change is no reload', async (t) => {
  const { holder, reloader, log } = setup(config({ services: [iris(500)] }));
  await reloader.request();
  t.match(reloader.state(), { ok: 0, failed: 0 });
  t.equal(holder.split().revision, 1);
  t.strictSame(log.lines, []);
});

t.test('calls during a reload are one more reload, and the last content wins', async (t) => {
  const { holder, reloader, write, state } = setup(config({ services: [iris(500)] }));
  write(config({ services: [iris(600)] }));
  const first = reloader.request();
  write('broken');
  const second = reloader.request();
  write(config({ services: [iris(800)] }));
  const third = reloader.request();
  t.equal(second, third, 'they wait for the same one');
  await Promise.all([first, second, third]);
  t.equal(weightOf(holder), 800);
  t.equal(state.loads, 2);
  t.match(reloader.state(), { ok: 2, failed: 0 });
  write(config({ services: [iris(900)] }));
  await reloader.request();
  t.equal(weightOf(holder), 900, 'and the next one works as the first');
});

t.test('a load that throws is a failed reload, and the next one works', async (t) => {
  const { holder, reloader, state, write } = setup(config({ services: [iris(500)] }));
  const broken = state.file;
  Object.defineProperty(state, 'file', {
    configurable: true,
    get() {
      throw new Error('disk on fire');
    },
  });
  await reloader.request();
  t.match(reloader.state().failure?.issues[0], { file: 'coalmine.yaml', message: 'disk on fire' });
  Object.defineProperty(state, 'file', { configurable: true, writable: true, value: broken });
  write(config({ services: [iris(700)] }));
  await reloader.request();
  t.equal(weightOf(holder), 700);
});

t.test('a Split that the data path refuses is a failed reload', async (t) => {
  const pem = (cert: string) => ({ listener: listener({ tls: { cert, key: 'k' } }) });
  const { holder, reloader, write, state, tls } = setup(config({ services: [iris(500)], ...pem('old') }));
  state.refuse = 'cannot compile';
  write(config({ services: [iris(700)], ...pem('new') }));
  await reloader.request();
  t.equal(weightOf(holder), 500);
  t.match(reloader.state(), { ok: 0, failed: 1, failure: { message: /cannot compile/ } });
  t.strictSame(tls, ['new', 'old'], 'the certificate is put back');
  state.refuse = '';
  await reloader.request();
  t.equal(weightOf(holder), 700, 'the same file, once it can be taken over');
});

t.test('rollouts are moved on before the swap, and back where it is refused', async (t) => {
  const { holder, reloader, write, state, rollouts } = setup(config({ services: [iris(500)] }));
  write(config({ services: [iris(700)] }));
  await reloader.request();
  t.strictSame(rollouts.splice(0), ['prepared', 'committed']);
  state.refuse = 'no such pattern';
  write(config({ services: [iris(800)] }));
  await reloader.request();
  t.strictSame(rollouts.splice(0), ['prepared', 'rolled back']);
  state.refuse = '';
  state.refuseRollouts = true;
  write(config({ services: [iris(900)] }));
  await reloader.request();
  t.equal(weightOf(holder), 700);
  t.match(reloader.state().failure?.message, 'the disk is full');
});

t.test('TLS files are taken over, and refused as a whole', async (t) => {
  const pem = (cert: string, weight: number) =>
    config({ services: [iris(weight)], listener: listener({ tls: { cert, key: 'k' } }) });
  const { holder, reloader, write, state, tls } = setup(pem('one', 500));
  write(pem('two', 500));
  await reloader.request();
  t.strictSame(tls, ['two']);
  t.match(reloader.state(), { ok: 1, restartNeeded: [] });

  state.refuseTls = true;
  write(pem('three', 900));
  await reloader.request();
  t.equal(weightOf(holder), 500, 'nothing of a refused config is taken over');
  t.match(reloader.state().failure?.message, /do not match/);
});

t.test('settings that wait for a restart are named in a warning', async (t) => {
  const { reloader, write, log, levels, traced } = setup(config({ services: [iris(500)] }));
  write(
    config({
      services: [iris(500)],
      listener: listener({ port: 8080, limits: { maxHeaders: 7 } }),
      admin: { host: '127.0.0.1', port: 1, token: 'top-secret', allowedHosts: [] },
      log: { level: 'debug' },
    }),
  );
  await reloader.request();
  const keys = ['listen', 'limits.maxHeaders', 'admin.listen', 'admin.token'];
  t.strictSame(reloader.state().restartNeeded, keys);
  const warning = log.lines.find(({ level }) => level === 'warn');
  t.match(warning?.message, `needs a restart to take effect: ${keys.join(', ')}`);
  t.notMatch(JSON.stringify(log.lines), /top-secret/);
  t.strictSame(levels, ['debug'], 'the log level needs none');
  t.strictSame(traced, [], 'and traces did not change');

  const tracing = {
    endpoint: 'http://a/v1/traces',
    share: 1,
    perSecond: 1,
    serviceName: 's',
    headers: [],
    timeoutMs: 1,
  };
  for (const one of [tracing, { ...tracing }, null]) {
    write(config({ services: [iris(500)], tracing: one }));
    await reloader.request();
  }
  t.strictSame(traced, [tracing, null], 'told when they do');

  write(config({ services: [iris(500)] }));
  await reloader.request();
  t.strictSame(reloader.state().restartNeeded, [], 'taken back, nothing waits');
});

t.test('a weight set by hand stays until its service changes in the file', async (t) => {
  const { holder, reloader, write } = setup(config({ services: [iris(500), iris(500, { name: 'other' })] }));
  const byHand = withShares(holder.split(), 'iris-api', [{ version: 1, weightBp: 3300 }]);
  holder.swap({ ...byHand, revision: 2 });
  write(config({ services: [iris(500), iris(700, { name: 'other' })] }));
  await reloader.request();
  t.equal(weightOf(holder), 3300);
  write(config({ services: [iris(400), iris(700, { name: 'other' })] }));
  await reloader.request();
  t.equal(weightOf(holder), 400);
});
