import { createPrivateKey, X509Certificate } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { FileContent, FileRef, PemInspector, PemKind } from './check/files.ts';
import { regionText } from './check/listener.ts';
import { type Config, compileConfig } from './compile.ts';
import { DEFAULTS } from './defaults.ts';
import type { ConfigIssue } from './issue.ts';
import type { Env } from './parse/env.ts';
import { MAX_FILE_BYTES } from './parse/guard.ts';
import { parseConfig } from './parse.ts';
import { checkConfig, finishCheck } from './validate.ts';

export type { AdminSettings, Config, KpiSettings } from './compile.ts';
export { type ConfigIssue, formatIssue } from './issue.ts';

export type LoadResult =
  | {
      readonly ok: true;
      readonly config: Config;
      /** What works but is seldom meant. */
      readonly warnings?: readonly ConfigIssue[];
    }
  | {
      readonly ok: false;
      /** All that is wrong, in the order of the file. */
      readonly issues: readonly ConfigIssue[];
      /** What was read or missed; a change of any of them may mend it. */
      readonly files?: readonly string[];
    };

/**
 * Reads, checks and compiles a config file with the files it names. Never throws for
 * what a file may hold. Between the phases, each of which takes a large config some
 * 50 to 100 ms, the requests of the same thread get their turn.
 */
export async function loadConfig(file: string, env: Env): Promise<LoadResult> {
  const main = await readText(file);
  if (!main.ok) {
    const issue = { file, line: 1, column: 1, path: '', message: `cannot be read: ${main.reason}`, fix: '' };
    return { ok: false, issues: [{ ...issue, fix: 'check the path and its permissions' }], files: [file] };
  }
  const { source, issues: parseIssues } = parseConfig(file, main.text, env);
  if (source === null) return { ok: false, issues: parseIssues, files: [file] };
  await nextTurn();
  const checked = checkConfig(source, parseIssues, env);
  const { paths, contents } = await readRefs(file, checked.refs);
  const files = [file, ...paths];
  await nextTurn();
  const issues = finishCheck(checked, contents, pemInspector);
  if (issues.length > 0) return { ok: false, issues, files };
  const { raw, report } = checked;
  const config = compileConfig(raw, regionText(raw, env), {
    fileText: (ref) => textOf(contents, ref),
    cookieSecret: processSecret,
    kpiSecret: processKpiSecret,
    resolveFile: (name) => resolve(dirname(file), name),
    stateDir: env[STATE_DIR_VARIABLE] || resolve(dirname(file), DEFAULTS.stateFolder),
  });
  await nextTurn();
  return { ok: true, config: { ...config, files }, warnings: report.warnings };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const STATE_DIR_VARIABLE = 'COALMINE_STATE_DIR';

/**
 * Sign issued ids and prediction ids where the config gives no secret. One each
 * for the whole life of the process, so that a reload changes nobody's id.
 */
const processSecret = randomSecret();
const processKpiSecret = randomSecret();

function randomSecret(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
}

interface ReadRefs {
  /** Without repeats, as they can be opened from here. */
  readonly paths: readonly string[];
  /** By the name in the config. */
  readonly contents: ReadonlyMap<string, FileContent>;
}

async function readRefs(configFile: string, refs: readonly FileRef[]): Promise<ReadRefs> {
  const names = [...new Set(refs.map((ref) => ref.file))];
  const folder = dirname(configFile);
  const paths = names.map((name) => resolve(folder, name));
  const contents = new Map<string, FileContent>();
  // One after the other: a thousand services may name a thousand files.
  for (const [i, name] of names.entries()) contents.set(name, await readText(paths[i] as string));
  return { paths: [...new Set(paths)], contents };
}

function textOf(contents: ReadonlyMap<string, FileContent>, name: string): string {
  const content = contents.get(name);
  if (content?.ok !== true) throw new Error(`compiled before it was read: ${name}`);
  return content.text;
}

/** A file as UTF-8 text, up to the size limit. */
async function readText(file: string): Promise<FileContent> {
  let handle: FileHandle | null = null;
  try {
    handle = await open(file, constants.O_RDONLY);
    const bytes = await readLimited(handle);
    if (bytes === null) return { ok: false, reason: `larger than ${MAX_FILE_BYTES / 1_048_576} MiB` };
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    return { ok: false, reason: reasonOf(error) };
  } finally {
    await handle?.close();
  }
}

/** Null when there is more than the limit. Counts what it reads, because pipes and devices tell no size. */
async function readLimited(handle: FileHandle): Promise<Uint8Array | null> {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(65_536);
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, null);
    if (bytesRead === 0) return Buffer.concat(chunks, total);
    total += bytesRead;
    if (total > MAX_FILE_BYTES) return null;
    chunks.push(chunk.subarray(0, bytesRead));
  }
}

const REASONS = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'permission denied'],
  ['EISDIR', 'it is a folder'],
  ['ENOTDIR', 'a part of its path is no folder'],
  ['ELOOP', 'its links go round in a circle'],
  ['ERR_ENCODING_INVALID_ENCODED_DATA', 'it is not UTF-8 text'],
]);

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return REASONS.get(code) ?? (code === '' ? error.message : code);
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

const pemInspector: PemInspector = {
  flaw(kind: PemKind, text: string): string | null {
    if (kind === 'key')
      return succeeds(() => createPrivateKey(text)) ? null : 'holds no private key that can be used';
    const blocks = text.match(CERTIFICATE) ?? [];
    if (blocks.length === 0) return 'holds no certificate';
    return blocks.every((block) => succeeds(() => new X509Certificate(block)))
      ? null
      : 'holds a broken certificate';
  },
  isPair: (cert, key) => new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)),
};

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
