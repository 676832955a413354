import { blank, type SourceFile } from './scan.ts';

/** The house's rules about files. Each check returns one sentence a violation. */

/** What the files of a part may import beside each other. */
export interface Part {
  /** Folders end with `/`, others are single files. */
  readonly files: readonly string[];
  readonly npm: readonly string[];
  /** Modules of Node. `any`: all of them. */
  readonly node: readonly string[] | 'any';
}

/** Folder or file → what it may import. The longest match counts. */
export type ImportTable = Readonly<Record<string, Part>>;

export const MAX_LINES = 400;

export function checkImports(files: readonly SourceFile[], table: ImportTable): string[] {
  const problems: string[] = [];
  const paths = new Set(files.map(({ path }) => path));
  for (const { path, imports } of files) {
    const name = partOf(path, table);
    const part = name === null ? null : table[name];
    if (name === null || part === undefined || part === null) {
      problems.push(`${path}: belongs to no part of the import table`);
      continue;
    }
    for (const { kind, target } of imports) {
      if (kind === 'file' && !paths.has(target))
        problems.push(`${path}: imports ${target}, which is not there`);
      else if (!mayImport(name, part, kind, target)) {
        problems.push(`${path}: ${name} may not import ${target}; it may import ${told(name, part)}`);
      }
    }
  }
  return problems;
}

function partOf(path: string, table: ImportTable): string | null {
  const names = Object.keys(table).filter((name) => covers(name, path));
  return names.sort((a, b) => b.length - a.length)[0] ?? null;
}

function mayImport(name: string, part: Part, kind: 'file' | 'node' | 'npm', target: string): boolean {
  switch (kind) {
    case 'file':
      return covers(folderOf(name), target) || part.files.some((allowed) => covers(allowed, target));
    case 'node':
      return part.node === 'any' || part.node.includes(target);
    case 'npm':
      return part.npm.includes(target);
  }
}

/** A file of the table belongs to its folder: it may import what stands beside it. */
function folderOf(name: string): string {
  return name.endsWith('/') ? name : name.slice(0, name.indexOf('/') + 1) || name;
}

function covers(name: string, path: string): boolean {
  return name.endsWith('/') ? path.startsWith(name) : path === name;
}

function told(name: string, { files, npm, node }: Part): string {
  return [folderOf(name), ...files, ...npm, ...(node === 'any' ? ['node:*'] : node)].join(', ');
}

/** With `types`, type imports count too: what cannot be told apart by its types is one thing. */
export function checkCycles(files: readonly SourceFile[], types: boolean): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const problems: string[] = [];
  const visit = (path: string, trail: readonly string[]) => {
    const seen = trail.indexOf(path);
    if (seen >= 0) {
      problems.push(`import cycle: ${[...trail.slice(seen), path].join(' -> ')}`);
      return;
    }
    if (done.has(path)) return;
    for (const { kind, target, typeOnly } of byPath.get(path)?.imports ?? []) {
      if (kind === 'file' && (types || !typeOnly)) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
  return problems;
}

/** Names that reach for time, chance or the world. */
const IMPURE =
  /(?<![.\w])(?:Date|process|performance|setTimeout|setInterval|setImmediate|queueMicrotask|globalThis|global|require|fetch|console|crypto|Buffer)\b(?!\s*:)|\bMath\.random\b|\bimport\.meta\b/g;

export function checkPure(files: readonly SourceFile[], folder: string): string[] {
  return files
    .filter(({ path }) => path.startsWith(folder))
    .flatMap(({ path, text }) =>
      [...blank(text, true).matchAll(IMPURE)].map((match) => {
        const line = text.slice(0, match.index).split('\n').length;
        return `${path}:${line}: ${match[0]} in ${folder}, which must be pure: take it as an argument`;
      }),
    );
}

export function checkSizes(files: readonly SourceFile[], maxLines: number): string[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.split('\n').length - 1;
    return lines > maxLines ? [`${path}: ${lines} lines, at most ${maxLines}: split it by concept`] : [];
  });
}

export function checkUsed(files: readonly SourceFile[], entries: readonly string[]): string[] {
  const used = new Set(files.flatMap(({ imports }) => imports.map(({ target }) => target)));
  return files
    .filter(({ path }) => !used.has(path) && !entries.includes(path))
    .map(({ path }) => `${path}: nothing in src imports it`);
}
