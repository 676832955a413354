import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type AsideReason, type SpareStore, type Store, StoreConflict, type Stored } from '../../ports.ts';
import { type Codec, type Damaged, type Revision, rolloutCodec } from './codec.ts';
import { type Disk, MAX_STATE_BYTES, NotAFile, nodeDisk } from './disk.ts';
import { fileNameOf, isTempOf, tempNameOf } from './file-name.ts';
import { createLanes } from './lanes.ts';

/**
 * One file a service in `dir`, made on the first save. A file is written beside
 * its place, synced, and renamed over it, so that a crash at any moment leaves the
 * old or the new one whole.
 *
 * The revision is compared right before the rename. That tells two gateways which
 * share the folder of each other, but two renames within the same moment could
 * still both pass: a folder belongs to one gateway.
 */
export function createFileStore(dir: string, disk: Disk = nodeDisk): Store {
  return createRecordStore(dir, rolloutCodec, disk);
}

/** Loads that have a file open: a start asks for all services together, and who opens too many is given none. */
const LOADS_AT_ONCE = 16;

/** The same for records of any kind. */
export function createRecordStore<T>(dir: string, codec: Codec<T>, disk: Disk = nodeDisk): SpareStore<T> {
  const lane = createLanes();
  const loading = createLanes();
  let loads = 0;
  /** Saves that were renamed into place and may not be durable, by service. */
  const unsure = new Map<string, Unsure>();
  const parts = { disk, dir, codec, unsure };
  const placeOf = (service: string) => join(dir, fileNameOf(service));
  return {
    load: (service) =>
      lane(service, () =>
        loading(`${loads++ % LOADS_AT_ONCE}`, async () => {
          await removeLeftovers(disk, dir, fileNameOf(service));
          return look(parts, service, codec.decode, MAX_STATE_BYTES);
        }),
      ),
    save: (service, state, expected) => lane(service, () => save(parts, service, state, expected)),
    setAside: (service, reason) =>
      lane(service, async () => {
        unsure.delete(service);
        await disk.rename(placeOf(service), `${placeOf(service)}${ASIDE[reason]}`).catch((error: unknown) => {
          // Somebody was quicker.
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        });
      }),
    remove: (service) =>
      lane(service, async () => {
        unsure.delete(service);
        await disk.remove(placeOf(service));
      }),
  };
}

/** Behind the name of a file that was set aside. */
export const ASIDE: Readonly<Record<AsideReason, string>> = { damaged: '.damaged', unread: '.unread' };

interface Parts<T> {
  readonly disk: Disk;
  readonly dir: string;
  readonly codec: Codec<T>;
  readonly unsure: Map<string, Unsure>;
}

/** The caller was told that the save failed, and still counts from `expected`. */
interface Unsure {
  readonly expected: number;
  readonly revision: number;
}

async function save<T>(parts: Parts<T>, service: string, state: T, expected: number): Promise<number> {
  const { disk, dir, codec, unsure } = parts;
  const file = join(dir, fileNameOf(service));
  const temp = join(dir, tempNameOf(fileNameOf(service), randomBytes(6).toString('hex')));
  const doubt = unsure.get(service);
  const current = doubt?.expected === expected ? doubt.revision : expected;
  const revision = current + 1;
  try {
    const content = codec.encode(service, state, revision);
    if (Buffer.byteLength(content) > MAX_STATE_BYTES) throw new Error('it is too large');
    await disk.makeFolder(dir);
    await disk.create(temp, content);
    await requireRevision(parts, service, current);
    await disk.rename(temp, file);
    unsure.set(service, { expected, revision });
    await disk.syncFolder(dir);
    unsure.delete(service);
    return revision;
  } catch (error) {
    await disk.remove(temp).catch(() => undefined);
    if (error instanceof StoreConflict) throw error;
    throw new Error(`${codec.what} of ${service} could not be saved to ${file}: ${why(error)}`, {
      cause: error,
    });
  }
}

async function requireRevision<T>(parts: Parts<T>, service: string, expected: number): Promise<void> {
  const { codec } = parts;
  const found = await look(parts, service, codec.revisionOf, codec.headBytes);
  if (found.kind === 'damaged' || found.kind === 'unreadable') {
    throw new Error(`what is there is not to be overwritten: it ${found.reason}`);
  }
  const revision = found.kind === 'found' ? found.revision : 0;
  if (revision === expected) return;
  throw new StoreConflict(
    `${codec.what} of ${service} was saved by another: revision ${revision} is stored, ${expected} was expected`,
    revision,
  );
}

/** What is there, as far as `decode` reads it. */
async function look<R extends Revision>(
  {
    disk,
    dir,
    codec,
  }: Pick<Parts<unknown>, 'disk' | 'dir'> & { readonly codec: { readonly remedy: string } },
  service: string,
  decode: (service: string, bytes: Uint8Array) => R | Damaged,
  most: number,
): Promise<R | Exclude<Stored, { kind: 'found' }>> {
  const where = join(dir, fileNameOf(service));
  const damaged = (reason: string) =>
    ({ kind: 'damaged', where, reason: `${reason}; ${codec.remedy}` }) as const;
  try {
    const bytes = await disk.read(where, most);
    if (bytes === null) return { kind: 'none' };
    const decoded = decode(service, bytes);
    return decoded.kind === 'damaged' ? damaged(decoded.reason) : decoded;
  } catch (error) {
    if (error instanceof NotAFile) return damaged(error.message);
    const { code } = error as NodeJS.ErrnoException;
    const hint = 'mend that, or name another state folder';
    return { kind: 'unreadable', where, reason: `cannot be read (${code ?? why(error)}); ${hint}` };
  }
}

/** What writes that never ended have left. Failing to tidy is no reason not to load. */
async function removeLeftovers(disk: Disk, dir: string, fileName: string): Promise<void> {
  try {
    const left = (await disk.list(dir)).filter((name) => isTempOf(fileName, name));
    await Promise.all(left.map((name) => disk.remove(join(dir, name))));
  } catch {
    // The folder is not there yet, or cannot be read; then the file says so.
  }
}

function why(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return `the disk is full (${code})`;
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return `the folder may not be written to (${code})`;
    case 'ENOTDIR':
    case 'EEXIST':
      return `the state folder is not a folder (${code})`;
    default:
      return message;
  }
}
