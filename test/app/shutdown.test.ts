import { EventEmitter } from 'node:events';
import t from 'tap';
import { holdSignals, untilShutdown } from '../../src/shutdown.ts';
import { memoryLog } from '../control/support.ts';

/** Promise.withResolvers, which Node 20 does not have. */
function deferred() {
  let resolve = () => {};
  let reject = (_error: Error) => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function setup() {
  const source = new EventEmitter();
  const log = memoryLog();
  const seen: string[] = [];
  const drain = deferred();
  const ended = untilShutdown(source, {
    drain() {
      seen.push('drain');
      return drain.promise;
    },
    reload: () => seen.push('reload'),
    exit: (code) => seen.push(`exit ${code}`),
    log,
  });
  return { source, log, seen, drain, ended };
}

t.test('a signal drains, and the end of the drain is exit code 0', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    const { source, seen, drain, ended } = setup();
    source.emit(signal, signal);
    t.strictSame(seen, ['drain']);
    drain.resolve();
    t.equal(await ended, 0, signal);
  }
});

t.test('a second signal ends at once', async (t) => {
  const { source, seen } = setup();
  source.emit('SIGTERM', 'SIGTERM');
  source.emit('SIGINT', 'SIGINT');
  t.strictSame(seen, ['drain', 'exit 1']);
});

t.test('an uncaught error is logged, drains, and is exit code 1', async (t) => {
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    const { source, seen, log, drain, ended } = setup();
    const error = new Error('boom');
    source.emit(event, error);
    t.strictSame(seen, ['drain']);
    t.match(log.lines, [{ level: 'error', fields: { err: error } }]);
    drain.resolve();
    t.equal(await ended, 1, event);
  }
});

t.test('an error while draining is logged and does not cut the drain', async (t) => {
  const { source, seen, log, drain, ended } = setup();
  source.emit('SIGTERM', 'SIGTERM');
  source.emit('uncaughtException', new Error('boom'));
  source.emit('unhandledRejection', new Error('boom again'));
  t.strictSame(seen, ['drain'], 'neither a second drain nor an exit');
  t.equal(log.lines.filter(({ level }) => level === 'error').length, 2);
  drain.resolve();
  t.equal(await ended, 1);
});

t.test('a drain that fails is exit code 1', async (t) => {
  const { source, drain, ended } = setup();
  source.emit('SIGTERM', 'SIGTERM');
  drain.reject(new Error('stuck'));
  t.equal(await ended, 1);
});

t.test('SIGHUP reloads and ends nothing', async (t) => {
  const { source, seen } = setup();
  source.emit('SIGHUP', 'SIGHUP');
  source.emit('SIGHUP', 'SIGHUP');
  t.strictSame(seen, ['reload', 'reload']);
});

t.test('signals during the start are held until there is something to reload or drain', async (t) => {
  const source = new EventEmitter();
  const exits: number[] = [];
  const held = holdSignals(source, (code) => exits.push(code));
  for (const signal of ['SIGHUP', 'SIGHUP', 'SIGTERM', 'SIGHUP']) source.emit(signal, signal);
  const seen: string[] = [];
  const ended = untilShutdown(source, {
    async drain() {
      seen.push('drain');
    },
    reload: () => seen.push('reload'),
    exit: (code) => exits.push(code),
    log: memoryLog(),
  });
  t.strictSame(seen, []);
  held.release();
  t.strictSame(seen, ['reload', 'drain']);
  t.equal(await ended, 0);
  t.strictSame(exits, [], 'held ones are heeded once');
  t.equal(source.listenerCount('SIGHUP'), 1, 'and no more held');
});

t.test('a second signal to end does not wait for the start', async (t) => {
  const source = new EventEmitter();
  const exits: number[] = [];
  holdSignals(source, (code) => exits.push(code));
  source.emit('SIGINT', 'SIGINT');
  t.strictSame(exits, []);
  source.emit('SIGTERM', 'SIGTERM');
  t.strictSame(exits, [1]);
});
