import { isDeepStrictEqual } from 'node:util';
import { carryStages } from '../config/diff.ts';
import { type ConfigIssue, formatIssue } from '../config/issue.ts';
import type { Config, LoadResult } from '../config/load.ts';
import type { Clock, Log } from '../ports.ts';
import type { Holder } from './holder.ts';
import { restartKeys } from './restart.ts';
import type { PreparedRollouts } from './rollouts/manager.ts';
import { keepSetWeights } from './weights.ts';

export interface ReloadDeps {
  /** Reads the config anew. */
  load(): Promise<LoadResult>;
  readonly holder: Holder;
  /** Throws when the certificate and key cannot be used. */
  setTls(tls: { readonly cert: string; readonly key: string }): void;
  setLogLevel(level: string): void;
  /** Never rejects. */
  setTracing(tracing: Config['tracing']): Promise<void>;
  /** Moves the rollouts on to the config; rejects when that could not be saved. */
  prepareRollouts(config: Config): Promise<PreparedRollouts>;
  readonly log: Log;
  readonly clock: Clock;
}

export interface ReloadFailure {
  readonly atMs: number;
  readonly message: string;
  /** Empty where the config was sound but could not be taken over. */
  readonly issues: readonly ConfigIssue[];
}

export interface ReloadState {
  readonly ok: number;
  readonly failed: number;
  /** The last reload, if it failed: the file differs from what is running. */
  readonly failure: ReloadFailure | null;
  /** Config keys whose change waits for a restart. */
  readonly restartNeeded: readonly string[];
}

/** Issues that a page is told of; the log has them all. */
const MAX_TOLD_ISSUES = 5;

/** Where a refused config is wrong, a line each; or why a sound one was not taken over. */
export function failureText({ message, issues }: ReloadFailure): string {
  if (issues.length === 0) return message;
  const more = issues.length - MAX_TOLD_ISSUES;
  const lines = issues.slice(0, MAX_TOLD_ISSUES).map(formatIssue);
  return [...lines, ...(more > 0 ? [`and ${more} more: see the log`] : [])].join('\n');
}

export interface Reloader {
  /** Reads and takes over the config; resolves when content at least as new as this call is dealt with. */
  request(): Promise<void>;
  state(): ReloadState;
  /** What to watch: the files of the running config, and those of one that was refused. */
  files(): readonly string[];
}

/**
 * Load → keep stages → swap, one at a time. Calls during a reload make one more
 * follow it, so that the last content wins however quickly edits come. A config
 * that cannot be taken over changes nothing but the state shown here.
 */
export function createReloader(deps: ReloadDeps): Reloader {
  const boot = deps.holder.config();
  const counts = { ok: 0, failed: 0 };
  let failure: ReloadFailure | null = null;
  let restartNeeded: readonly string[] = [];
  let refusedFiles: readonly string[] = [];
  let running: Promise<void> | null = null;
  let following: Promise<void> | null = null;

  const fail = (message: string, issues: readonly ConfigIssue[]) => {
    counts.failed++;
    failure = { atMs: deps.clock.wallMs(), message, issues };
    const lines = issues.map(formatIssue);
    deps.log.error({ issues: lines }, [`config not reloaded: ${message}`, ...lines].join('\n'));
  };

  const succeed = (config: Config, changed: boolean) => {
    if (!changed && failure === null) return;
    counts.ok++;
    failure = null;
    restartNeeded = restartKeys(boot, config);
    const { revision } = deps.holder.split();
    deps.log.info({ revision, changed }, 'config reloaded');
    if (restartNeeded.length === 0) return;
    deps.log.warn({ keys: restartNeeded }, `needs a restart to take effect: ${restartNeeded.join(', ')}`);
  };

  const once = async () => {
    const loaded = await loadSafely(deps);
    refusedFiles = loaded.ok ? [] : (loaded.files ?? []);
    if (!loaded.ok) return fail('the running config is kept', loaded.issues);
    const changed = !isDeepStrictEqual(loaded.config, deps.holder.config());
    try {
      if (changed) await takeOver(deps, loaded.config);
    } catch (error) {
      return fail(`the running config is kept: ${messageOf(error)}`, []);
    }
    succeed(loaded.config, changed);
    if (changed) logWarnings(deps.log, loaded.warnings);
  };

  const start = (): Promise<void> => {
    running = once().finally(() => {
      running = null;
    });
    return running;
  };

  return {
    request() {
      if (running === null) return start();
      following ??= running.then(() => {
        following = null;
        return start();
      });
      return following;
    },
    state: () => ({ ...counts, failure, restartNeeded }),
    files: () => [...new Set([...deps.holder.config().files, ...refusedFiles])],
  };
}

/** What in a sound config is seldom meant. */
export function logWarnings(log: Log, warnings: readonly ConfigIssue[] | undefined): void {
  for (const warning of warnings ?? []) log.warn({ path: warning.path }, `config: ${formatIssue(warning)}`);
}

/** All or nothing: when the Split is refused, the rollouts and the certificate before it are put back. */
async function takeOver(deps: ReloadDeps, config: Config): Promise<void> {
  const before = deps.holder.config();
  const prepared = await deps.prepareRollouts(config);
  try {
    swap(deps, config, prepared);
  } catch (error) {
    await prepared.rollback();
    throw error;
  }
  prepared.commit();
  if (config.log.level !== before.log.level) deps.setLogLevel(config.log.level);
  if (!isDeepStrictEqual(config.tracing, before.tracing)) await deps.setTracing(config.tracing);
}

function swap({ holder, setTls }: ReloadDeps, config: Config, prepared: PreparedRollouts): void {
  const before = holder.config();
  const oldTls = before.listener.tls;
  const newTls = config.listener.tls;
  const tlsChanged = oldTls !== null && newTls !== null && !isDeepStrictEqual(oldTls, newTls);
  if (tlsChanged) setTls(newTls);
  try {
    const walked = new Set(before.rollouts.map(({ service }) => service));
    const split = keepSetWeights(holder.split(), before.split, config.split, walked);
    holder.swap(carryStages(holder.split(), prepared.apply(split)), config);
  } catch (error) {
    if (tlsChanged) setTls(oldTls);
    throw error;
  }
}

async function loadSafely(deps: ReloadDeps): Promise<LoadResult> {
  try {
    return await deps.load();
  } catch (error) {
    const file = deps.holder.config().files[0] ?? '';
    const issue = { file, line: 1, column: 1, path: '', message: messageOf(error), fix: '' };
    return { ok: false, issues: [issue] };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
