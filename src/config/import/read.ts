import { Composer, type Document, isCollection, isScalar, LineCounter } from 'yaml';
import { clip } from '../issue.ts';
import { convert } from '../parse/convert.ts';
import { guardedTokens, LimitError } from '../parse/guard.ts';
import { makeLocator, positionOf } from '../parse/source.ts';
import { YAML_OPTIONS } from '../parse.ts';
import { Cursor, type ImportNote, Origin } from './cursor.ts';

/** One Kubernetes object. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Null: not given. */
  readonly namespace: string | null;
  readonly root: Cursor;
  readonly origin: Origin;
}

export interface ReadFile {
  readonly manifests: readonly Manifest[];
  readonly problems: readonly ImportNote[];
}

const MAX_SYNTAX_PROBLEMS = 20;
/** Over all documents of a file: each has a budget of its own, and there may be many. */
const MAX_ALIASES = 1_000;

/** The manifests of a YAML text with any number of documents. Never throws for what a text may hold. */
export function readManifests(file: string, text: string): ReadFile {
  const lines = new LineCounter();
  try {
    return readWithin(file, text, lines);
  } catch (error) {
    if (!(error instanceof LimitError)) throw error;
    const { line } = positionOf(lines, error.offset);
    return { manifests: [], problems: [{ file, line, path: '', message: error.message }] };
  }
}

function readWithin(file: string, text: string, lines: LineCounter): ReadFile {
  const tokens = guardedTokens(text, lines);
  const docs: Document.Parsed[] = [...new Composer(YAML_OPTIONS).compose(tokens, false, text.length)];
  const syntax = syntaxProblems(file, text, docs, lines);
  if (syntax.length > 0) return { manifests: [], problems: syntax };
  const manifests: Manifest[] = [];
  const problems: ImportNote[] = [];
  let aliasCount = 0;
  for (const doc of docs) {
    if (doc.contents === null || (isScalar(doc.contents) && doc.contents.value === null)) continue;
    const { value, issues, aliases } = convert(file, text, doc, lines, null);
    aliasCount += aliases.size;
    if (aliasCount > MAX_ALIASES) throw new LimitError(doc.range[0], 'the file has too many aliases', '');
    const { locate } = makeLocator(doc, lines, aliases);
    const hint = templateHint(text);
    problems.push(
      ...issues.map(({ line, path, message }) => ({ file, line, path, message: `${message}${hint}` })),
    );
    if (issues.length > 0) continue;
    const first = positionOf(lines, doc.contents.range[0]).line;
    const origin = new Origin(file, (path) => (path.length === 0 ? first : locate(path, 'key').line));
    const root = new Cursor(origin, [], value);
    if (!isCollection(doc.contents) || Array.isArray(value)) {
      problems.push({ file, line: first, path: '', message: 'is not a Kubernetes manifest' });
    } else manifests.push(...manifestsOf(root));
    problems.push(...origin.problems.splice(0));
  }
  if (manifests.length === 0 && problems.length === 0) {
    problems.push({ file, line: 1, path: '', message: 'holds no manifest' });
  }
  return { manifests, problems };
}

/** The object itself, or those of a `kind: List` as kubectl writes it. */
function manifestsOf(root: Cursor): Manifest[] {
  const apiVersion = root.get('apiVersion').text();
  const kind = root.get('kind').text();
  if (apiVersion === null || kind === null) {
    if (!root.origin.problems.length)
      root.fail('is not a Kubernetes manifest: apiVersion or kind is missing');
    return [];
  }
  if (kind.endsWith('List') && root.get('items').present) return root.get('items').items().flatMap(asOwn);
  const name = root.get('metadata', 'name').text();
  const namespace = root.get('metadata', 'namespace').text();
  if (name === null && isRead(kind)) root.fail(`has no metadata.name`);
  return [{ apiVersion, kind, name: name ?? '', namespace, root, origin: root.origin }];
}

/** An item of a list has an origin of its own, so that what is said of it stays with it. */
function asOwn(item: Cursor): Manifest[] {
  const origin = new Origin(item.origin.file, item.origin.lineOf);
  const found = manifestsOf(new Cursor(origin, item.path, item.value));
  item.origin.problems.push(...origin.problems.splice(0));
  return found;
}

const READ_KINDS = new Set(['Ingress', 'Rollout', 'AnalysisTemplate', 'ClusterAnalysisTemplate', 'Service']);

function isRead(kind: string): boolean {
  return READ_KINDS.has(kind);
}

function syntaxProblems(
  file: string,
  text: string,
  docs: readonly Document.Parsed[],
  lines: LineCounter,
): ImportNote[] {
  const errors = docs.flatMap((doc) => [...doc.errors, ...doc.warnings]);
  // After the first of these the library has lost its place, and the next ones mean nothing.
  const lost = errors.findIndex(({ code }) => code === 'UNEXPECTED_TOKEN');
  const worth = errors.filter(({ code }, i) => code !== 'UNEXPECTED_TOKEN' || i === lost);
  const hint = templateHint(text);
  return worth.slice(0, MAX_SYNTAX_PROBLEMS).map(({ message, pos }) => ({
    file,
    line: positionOf(lines, pos[0]).line,
    path: '',
    message: `is not YAML: ${message.charAt(0).toLowerCase()}${clip(message.slice(1), 200)}${hint}`,
  }));
}

/** Charts' templates are YAML by chance at best. */
function templateHint(text: string): string {
  return /\{\{-? *(?:\.|include|template|if|range|end)/.test(text)
    ? '; this looks like a chart’s template: render it first (helm template)'
    : '';
}
