import type { Files, PemInspector } from '../../src/config/check/files.ts';
import { regionText } from '../../src/config/check/listener.ts';
import { type Config, compileConfig } from '../../src/config/compile.ts';
import { type ConfigIssue, formatIssue } from '../../src/config/issue.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { checkConfig, finishCheck } from '../../src/config/validate.ts';

/** Configs as texts, checked without a file system. */

export interface Inspected {
  readonly issues: readonly ConfigIssue[];
  readonly warnings: readonly ConfigIssue[];
  /** Null when there are issues. */
  readonly config: Omit<Config, 'files'> | null;
}

export interface InspectOptions {
  readonly env?: Record<string, string | undefined>;
  /** Contents of files that the config names; others are missing. */
  readonly files?: Readonly<Record<string, string>>;
  readonly pem?: PemInspector;
}

const trustingPem: PemInspector = { flaw: () => null, isPair: () => true };

export function inspect(
  text: string,
  { env = {}, files = {}, pem = trustingPem }: InspectOptions = {},
): Inspected {
  const { source, issues } = parseConfig('coalmine.yaml', text, env);
  if (source === null) return { issues, warnings: [], config: null };
  const checked = checkConfig(source, issues, env);
  const contents: Files = new Map(
    checked.refs.map(({ file }) => {
      const held = files[file];
      return [
        file,
        held === undefined ? { ok: false, reason: 'there is no such file' } : { ok: true, text: held },
      ];
    }),
  );
  const found = finishCheck(checked, contents, pem);
  const { warnings } = checked.report;
  if (found.length > 0) return { issues: found, warnings, config: null };
  const config = compileConfig(checked.raw, regionText(checked.raw, env), {
    fileText: (file) => files[file] as string,
    cookieSecret: 'made at start',
    kpiSecret: 'made at start for kpis',
    resolveFile: (file) => `/etc/coalmine/${file}`,
    stateDir: '/var/lib/coalmine',
  });
  return { issues: [], warnings, config };
}

/** The compiled config; fails with the issues where there are any. */
export function compiled(text: string, options: InspectOptions = {}): Omit<Config, 'files'> {
  const { config, issues } = inspect(text, options);
  if (config === null) throw new Error(issues.map(formatIssue).join('\n'));
  return config;
}

/** The one service of a config that is given by the service's keys alone. */
export function service(keys: string, options: InspectOptions = {}) {
  const { services } = compiled(`services:\n  iris-api:\n${indent(keys, 4)}`, options).split;
  const [first] = services;
  if (first === undefined) throw new Error('no service');
  return first;
}

export function indent(text: string, by: number): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? line : ' '.repeat(by) + line))
    .join('\n');
}

/** Takes the mark `▶` out of a text, and tells where it stood. */
export function marked(text: string): { text: string; line: number; column: number } {
  const at = text.indexOf('▶');
  if (at < 0) throw new Error(`no mark in: ${text}`);
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  return { text: text.replace('▶', ''), line, column };
}

/** Two versions with a canary, as the start of many a test. */
export const TWO_VERSIONS = `versions:
  v1: { url: http://a:1 }
  v2: { url: http://b:1 }
stable: v1
canary: v2
`;
