import { type FSWatcher, realpathSync, statSync, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Quiet time after an event, and between the two looks that must agree; milliseconds. */
const SETTLE_MS = 75;
/** Events that keep coming cannot put a look off for longer than this. */
const SETTLE_MAX_MS = 400;
/** Looks without any event, for file systems that send none. More files are looked at less often. */
const POLL_MS = 1_000;
const POLL_MS_PER_FILE = 10;

export interface WatchOptions {
  /** Time between looks without an event; milliseconds. */
  readonly pollMs?: number;
}

export interface FileWatch {
  /** Stops watching; after it resolves, `onChange` is not called any more. */
  close(): Promise<void>;
}

/**
 * Calls `onChange` after any of the files changed: written in place, replaced by
 * a rename, removed, or moved on by a symlink (a Kubernetes ConfigMap swaps its
 * `..data`). What counts is what a file's path leads to, not the event: events
 * only say when to look. A change is told when two looks in a row agree on it, so
 * that a file is not read half-written or in the moment of its replacement.
 *
 * `files` is asked at every look; a file that is new in the list is not a change.
 * The state at the time of this call is what changes are measured against: to
 * miss none, call it before the files are first read. Does not keep the process alive.
 */
export function watchFiles(
  files: () => readonly string[],
  onChange: () => void,
  { pollMs = POLL_MS }: WatchOptions = {},
): FileWatch {
  const watching = new Watching(files, onChange, pollMs);
  return { close: () => watching.close() };
}

type Prints = ReadonlyMap<string, string>;

class Watching {
  private readonly folders = new Map<string, FSWatcher>();
  private readonly files: () => readonly string[];
  private readonly onChange: () => void;
  private readonly pollMs: number;
  /** As last told (or first seen). */
  private told: Map<string, string>;
  /** As last looked at. */
  private seen: Prints;
  private timer: NodeJS.Timeout | null = null;
  private firstEventMs: number | null = null;
  private look: Promise<void> | null = null;
  private again = false;
  private closed = false;

  constructor(files: () => readonly string[], onChange: () => void, pollMs: number) {
    this.files = files;
    this.onChange = onChange;
    this.pollMs = pollMs;
    const names = files();
    this.told = new Map(names.map((file) => [file, printSync(file)]));
    this.seen = this.told;
    this.watchFolders(names);
    this.schedule(this.quietMs());
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.dropFolders();
    await this.look;
  }

  private schedule(delayMs: number): void {
    if (this.closed) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => this.startLook(), delayMs);
    this.timer.unref();
  }

  private quietMs(): number {
    return Math.max(this.pollMs, this.told.size * POLL_MS_PER_FILE);
  }

  private onEvent(): void {
    if (this.look !== null) {
      this.again = true;
      return;
    }
    const nowMs = performance.now();
    this.firstEventMs ??= nowMs;
    const leftMs = SETTLE_MAX_MS - (nowMs - this.firstEventMs);
    this.schedule(Math.max(0, Math.min(SETTLE_MS, leftMs)));
  }

  private startLook(): void {
    this.firstEventMs = null;
    this.look = this.takeLook().then((settled) => {
      this.look = null;
      const soon = !settled || this.again;
      this.again = false;
      this.schedule(soon ? SETTLE_MS : this.quietMs());
    });
  }

  /** Whether there is nothing left to be seen a second time. */
  private async takeLook(): Promise<boolean> {
    const names = this.files();
    const prints = new Map<string, string>();
    for (const file of names) prints.set(file, await print(file));
    if (this.closed) return true;
    if (!isSame(prints, this.seen)) {
      this.seen = prints;
      this.watchFolders(names);
      return false;
    }
    const changed = names.some((file) => this.told.has(file) && this.told.get(file) !== prints.get(file));
    this.told = prints;
    if (changed) this.onChange();
    return true;
  }

  /**
   * One watcher for each folder that a file, or what it links to, stands in. All
   * anew after every change, because a folder of the same name may be another one.
   */
  private watchFolders(files: readonly string[]): void {
    this.dropFolders();
    for (const folder of new Set(files.flatMap(foldersOf))) this.watchFolder(folder);
  }

  private dropFolders(): void {
    for (const watcher of this.folders.values()) watcher.close();
    this.folders.clear();
  }

  /** Where a folder cannot be watched (it is gone, or there are no watches left) the regular looks remain. */
  private watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.onEvent());
      watcher.on('error', () => watcher.close());
      this.folders.set(folder, watcher);
    } catch {
      // Nothing to undo, and nothing to tell: the files are still looked at.
    }
  }
}

function isSame(a: Prints, b: Prints): boolean {
  if (a.size !== b.size) return false;
  for (const [file, value] of a) if (b.get(file) !== value) return false;
  return true;
}

function foldersOf(file: string): string[] {
  try {
    return [dirname(file), dirname(realpathSync(file))];
  } catch {
    return [dirname(file)];
  }
}

type Stats = Awaited<ReturnType<typeof bigStat>>;
const bigStat = (file: string) => stat(file, { bigint: true });

/** Changes when the path leads to another file or other contents; '' where it leads to none. */
async function print(file: string): Promise<string> {
  try {
    return printOf(await bigStat(file));
  } catch {
    return '';
  }
}

function printSync(file: string): string {
  try {
    return printOf(statSync(file, { bigint: true }));
  } catch {
    return '';
  }
}

/** ctime besides mtime: some tools set the latter back after they wrote. */
function printOf({ dev, ino, size, mtimeNs, ctimeNs }: Stats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}
