import { closeSync, openSync, readSync } from 'node:fs';
import type { Command } from 'commander';
import { type ImportNote, importManifests } from '../../config/import/index.ts';
import { MAX_FILE_BYTES } from '../../config/parse/guard.ts';
import type { CommandContext } from '../context.ts';
import { CliError, EXIT } from '../io.ts';

export function addImport(program: Command, { io, action }: CommandContext): void {
  program
    .command('import')
    .description(
      'turn Kubernetes manifests (NGINX Ingress, Argo Rollout, AnalysisTemplate, Service) into a config, printed as YAML; what is not carried over is told on stderr',
    )
    .argument('<files...>', 'YAML files with manifests; - reads from stdin')
    .action(
      action((files: string[]) => {
        if (files.filter((file) => file === '-').length > 1) {
          throw new CliError(EXIT.usage, 'stdin (-) can be read only once');
        }
        const read = files.map(readManifestFile);
        const unread = read.flatMap((one) => (one.ok ? [] : [one.problem]));
        const texts = read.flatMap((one) => (one.ok ? [one.file] : []));
        const result =
          unread.length > 0 ? ({ ok: false, problems: unread } as const) : importManifests(texts);
        io.err((result.ok ? result.notes : result.problems).map(lineOf).join(''));
        if (!result.ok) return EXIT.no;
        io.out(result.yaml);
        return EXIT.done;
      }),
    );
}

/** `rollout.yaml:12 spec.replicas: …`. Control characters of a manifest do not reach the terminal. */
function lineOf({ file, line, path, message }: ImportNote): string {
  const what = path === '' ? message : `${path}: ${message}`;
  return `${`${file}:${line} ${what}`.replace(/\p{Cc}/gu, '\ufffd')}\n`;
}

type ReadFile =
  | { readonly ok: true; readonly file: { readonly name: string; readonly text: string } }
  | { readonly ok: false; readonly problem: ImportNote };

function readManifestFile(file: string): ReadFile {
  const name = file === '-' ? 'stdin' : file;
  try {
    const bytes = readLimited(file);
    return { ok: true, file: { name, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) } };
  } catch (error) {
    const message = `cannot be read: ${reasonOf(error)}`;
    return { ok: false, problem: { file: name, line: 1, path: '', message } };
  }
}

/** Counts what it reads, because pipes tell no size. */
function readLimited(file: string): Uint8Array {
  const fd = file === '-' ? 0 : openSync(file, 'r');
  try {
    const chunks: Buffer[] = [];
    let total = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(65_536);
      const count = readWaiting(fd, chunk);
      if (count === 0) return Buffer.concat(chunks, total);
      total += count;
      if (total > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES / 1_048_576} MiB`);
      chunks.push(chunk.subarray(0, count));
    }
  } finally {
    if (file !== '-') closeSync(fd);
  }
}

/** A pipe that its writer made non-blocking answers EAGAIN until there is something. */
function readWaiting(fd: number, chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(fd, chunk);
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

const REASONS = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'permission denied'],
  ['EISDIR', 'it is a folder'],
  ['ERR_ENCODING_INVALID_ENCODED_DATA', 'it is not UTF-8 text'],
]);

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = codeOf(error);
  return REASONS.get(code) ?? (code === '' ? error.message : code);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
