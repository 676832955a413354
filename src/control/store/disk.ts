import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What the file store asks of a file system. Every call rejects with Node's error where it fails. */
export interface Disk {
  /** Makes the folder, and those above it, durably; content where it is there already. */
  makeFolder(path: string): Promise<void>;
  /** A new file, its content on the disk when this resolves. */
  create(path: string, content: string | Uint8Array): Promise<void>;
  /** Replaces `to` in one step; durable after `syncFolder`. */
  rename(from: string, to: string): Promise<void>;
  syncFolder(path: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Names in a folder. */
  list(path: string): Promise<readonly string[]>;
  /** The beginning, at most so many bytes. Null: there is none. */
  read(path: string, most: number): Promise<Uint8Array | null>;
}

/** Bounds what one broken file can make a gateway read. */
export const MAX_STATE_BYTES = 32 * 1024 * 1024;

/** Not a failure of the disk, but something that is no state file. */
export class NotAFile extends Error {}

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;

export const nodeDisk: Disk = {
  async makeFolder(path) {
    const first = await mkdir(path, { recursive: true, mode: PRIVATE_FOLDER });
    if (first === undefined) return;
    const highest = dirname(first);
    for (let made = path; made !== highest; made = dirname(made)) await syncFolder(dirname(made));
  },
  async create(path, content) {
    await using(await open(path, 'wx', PRIVATE_FILE), async (file) => {
      await file.writeFile(content);
      await file.sync();
    });
  },
  rename,
  syncFolder,
  remove: (path) => rm(path, { force: true }),
  list: (path) => readdir(path),
  read,
};

async function syncFolder(path: string): Promise<void> {
  await using(await open(path, constants.O_RDONLY), async (folder) => {
    try {
      await folder.sync();
    } catch (error) {
      // Some network file systems cannot; there a rename is as durable as they make it.
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EINVAL' && code !== 'ENOTSUP') throw error;
    }
  });
}

async function read(path: string, most: number): Promise<Uint8Array | null> {
  const file = await openToRead(path);
  if (file === null) return null;
  return using(file, async () => {
    const stat = await file.stat();
    if (!stat.isFile()) throw new NotAFile(stat.isDirectory() ? 'is a folder' : 'is not a regular file');
    if (stat.size > MAX_STATE_BYTES) throw new NotAFile(`is larger than ${MAX_STATE_BYTES} bytes`);
    return stat.size <= most ? file.readFile() : readHead(file, most);
  });
}

async function readHead(file: FileHandle, bytes: number): Promise<Uint8Array> {
  const head = new Uint8Array(bytes);
  let length = 0;
  while (length < bytes) {
    const { bytesRead } = await file.read(head, length, bytes - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return head.subarray(0, length);
}

async function openToRead(path: string): Promise<FileHandle | null> {
  try {
    // Neither following a link, which a save would replace, nor waiting at a pipe.
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    if (code === 'ELOOP') throw new NotAFile('is a symbolic link');
    throw error;
  }
}

async function using<T>(file: FileHandle, work: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}
