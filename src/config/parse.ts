import {
  Composer,
  type Document,
  isCollection,
  isScalar,
  LineCounter,
  type YAMLParseError,
  type YAMLWarning,
} from 'yaml';
import type { ConfigIssue } from './issue.ts';
import { convert } from './parse/convert.ts';
import type { Env } from './parse/env.ts';
import { guardedTokens, LimitError } from './parse/guard.ts';
import { makeLocator, positionOf, type Source } from './parse/source.ts';

export interface Parsed {
  /** Null when the text is not YAML that can be gone on with. */
  readonly source: Source | null;
  readonly issues: readonly ConfigIssue[];
}

/** Spelled out, so that neither a directive in the file nor the library's defaults decide. */
export const YAML_OPTIONS = {
  version: '1.2',
  schema: 'core',
  merge: false,
  resolveKnownTags: false,
  intAsBigInt: false,
  strict: true,
  prettyErrors: false,
  keepSourceTokens: false,
  logLevel: 'silent',
  /** Checked while converting, in linear time. */
  uniqueKeys: false,
} as const;

/** What to do about the library's complaints; its own text says what is wrong. */
const FIXES = new Map<string, string>([
  ['TAB_AS_INDENT', 'indent with spaces'],
  ['BAD_INDENT', 'line it up with the keys of the same mapping'],
  ['MISSING_CHAR', 'add what is missing, or put the value in quotes'],
  ['BLOCK_AS_IMPLICIT_KEY', 'put the value in quotes, or its keys on lines of their own'],
  ['MULTILINE_IMPLICIT_KEY', 'check for a missing colon above'],
  ['BLOCK_IN_FLOW', 'close the bracket before, or write the whole in brackets'],
  ['BAD_SCALAR_START', 'put the value in quotes'],
  ['TAG_RESOLVE_FAILED', 'remove the tag; none is needed'],
  ['BAD_DQ_ESCAPE', 'double the backslash, or use single quotes'],
]);
const MAX_SYNTAX_ISSUES = 20;

/** YAML text to a plain value with positions. Never throws. */
export function parseConfig(file: string, text: string, env: Env): Parsed {
  const lines = new LineCounter();
  try {
    return parseWithin(file, text, env, lines);
  } catch (error) {
    if (!(error instanceof LimitError)) throw error;
    const { line, column } = positionOf(lines, error.offset);
    return {
      source: null,
      issues: [{ file, line, column, path: '', message: error.message, fix: error.fix }],
    };
  }
}

function parseWithin(file: string, text: string, env: Env, lines: LineCounter): Parsed {
  const docs: Document.Parsed[] = [];
  for (const one of new Composer(YAML_OPTIONS).compose(guardedTokens(text, lines), true, text.length)) {
    if (docs.push(one) > 1) break;
  }
  const doc = docs[0] as Document.Parsed;
  const syntax = syntaxIssues(file, text, docs, lines);
  if (syntax.length > 0) return { source: null, issues: syntax };
  if (!isCollection(doc.contents)) {
    const empty = doc.contents === null || (isScalar(doc.contents) && doc.contents.value === null);
    const message = empty ? 'the file is empty' : 'the file must be a mapping of keys';
    const fix = 'write at least `services:` with one service under it';
    return { source: null, issues: [{ file, line: 1, column: 1, path: '', message, fix }] };
  }
  const { value, issues, fromEnv, unusable, aliases } = convert(file, text, doc, lines, env);
  const { locate, nodeAt } = makeLocator(doc, lines, aliases);
  const written = (path: readonly (string | number)[]) => {
    const node = nodeAt(path);
    return isScalar(node) && node.range ? text.slice(node.range[0], node.range[1]) : null;
  };
  return { source: { file, value, locate, written, fromEnv, unusable }, issues };
}

function syntaxIssues(
  file: string,
  text: string,
  docs: readonly Document.Parsed[],
  lines: LineCounter,
): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  let lost = false;
  for (const error of docs.flatMap((doc) => [...doc.errors, ...doc.warnings])) {
    // After the first of these the library has lost its place, and the next ones mean nothing.
    if (error.code === 'UNEXPECTED_TOKEN' && lost) continue;
    lost ||= error.code === 'UNEXPECTED_TOKEN';
    if (issues.length === MAX_SYNTAX_ISSUES) break;
    const { message, fix } = syntaxAdvice(text, error);
    issues.push({ file, ...positionOf(lines, error.pos[0]), path: '', message, fix });
  }
  const second = docs[1];
  if (second !== undefined) {
    const message = 'a second document begins here';
    const fix = 'keep one document in the file';
    issues.push({ file, ...positionOf(lines, second.range[0]), path: '', message, fix });
  }
  return issues;
}

function syntaxAdvice(
  text: string,
  { code, message, pos }: YAMLParseError | YAMLWarning,
): { message: string; fix: string } {
  if (text.slice(pos[0] - 1, pos[0] + 1) === '${') {
    return {
      message: 'a brace of an environment variable reads as YAML here',
      fix: `inside { } and [ ] put it in quotes: "\${NAME}"`,
    };
  }
  return { message: lowerFirst(message), fix: FIXES.get(code) ?? 'correct the YAML syntax here' };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
