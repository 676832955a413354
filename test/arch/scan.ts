import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The sources, and what each imports. */

export interface SourceFile {
  /** Below src, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

export interface Import {
  readonly kind: 'file' | 'node' | 'npm';
  /** A path below src, `node:x`, or a package's name. */
  readonly target: string;
  /** `import type`: gone at run time. */
  readonly typeOnly: boolean;
}

export const SRC = join(dirname(fileURLToPath(import.meta.url)), '../../src');

export function readSources(): SourceFile[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
    .map((path) => sourceFile(path, readFileSync(join(SRC, path), 'utf8')));
}

export function sourceFile(path: string, text: string): SourceFile {
  return { path, text, imports: importsOf(path, text) };
}

const STATEMENT = /(?:^|[;}\n])\s*(?:import|export)\b[^'"`;()]*?\bfrom\s*['"]([^'"]+)['"]/g;
const BARE = /(?:^|[;}\n])\s*import\s*['"]([^'"]+)['"]/g;
const DYNAMIC = /\bimport\s*\(\s*['"]([^'"]+)['"]/g;
/** `new URL('./x.ts', import.meta.url)`: how a file is named that runs in a process of its own. */
const BY_URL = /\bnew URL\s*\(\s*['"](\.[^'"]+\.ts)['"]\s*,\s*import\.meta\.url/g;

function importsOf(path: string, text: string): Import[] {
  const code = blank(text, false);
  const found = [STATEMENT, BARE, DYNAMIC, BY_URL].flatMap((pattern) => [...code.matchAll(pattern)]);
  return found.map(([statement, specifier]) => ({
    ...resolve(path, specifier as string),
    typeOnly: /^[;}\s]*(?:import|export)\s+type\b/.test(statement),
  }));
}

function resolve(from: string, specifier: string): Omit<Import, 'typeOnly'> {
  if (specifier.startsWith('.')) {
    return { kind: 'file', target: posix.normalize(posix.join(posix.dirname(from), specifier)) };
  }
  if (specifier.startsWith('node:')) return { kind: 'node', target: specifier };
  const parts = specifier.split('/');
  return {
    kind: 'npm',
    target: specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] as string),
  };
}

/** The text with its comments, and if wanted its strings, replaced by spaces; lines stay where they are. */
export function blank(text: string, strings: boolean): string {
  let out = '';
  let at = 0;
  const emit = (end: number, hide: boolean) => {
    const piece = text.slice(at, end);
    out += hide ? piece.replace(/[^\n]/g, ' ') : piece;
    at = end;
  };
  while (at < text.length) {
    const two = text.slice(at, at + 2);
    const one = text[at] as string;
    if (two === '//') emit(endOf(text, '\n', at), true);
    else if (two === '/*') emit(endOf(text, '*/', at + 2) + 2, true);
    else if (one === "'" || one === '"' || one === '`') emit(quoteEnd(text, at), strings);
    else if (one === '/' && regexMayStart(out)) emit(regexEnd(text, at), strings);
    else emit(at + 1, false);
  }
  return out;
}

function endOf(text: string, mark: string, from: number): number {
  const end = text.indexOf(mark, from);
  return end < 0 ? text.length : end;
}

/** Template literals end at their own backtick; code inside `${}` counts as part of them. */
function quoteEnd(text: string, start: number): number {
  const quote = text[start];
  let depth = 0;
  for (let i = start + 1; i < text.length; i++) {
    const char = text[i];
    if (char === '\\') i++;
    else if (quote === '`' && depth > 0 && char === '`') i = quoteEnd(text, i) - 1;
    else if (quote === '`' && char === '$' && text[i + 1] === '{') depth++;
    else if (quote === '`' && depth > 0 && char === '}') depth--;
    else if (char === quote && depth === 0) return i + 1;
  }
  return text.length;
}

function regexMayStart(before: string): boolean {
  const last = before.trimEnd();
  return /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\breturn|\bcase|=>)$/.test(last);
}

function regexEnd(text: string, start: number): number {
  let inClass = false;
  for (let i = start + 1; i < text.length && text[i] !== '\n'; i++) {
    const char = text[i];
    if (char === '\\') i++;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) return i + 1;
  }
  return start + 1;
}
