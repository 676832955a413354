import t from 'tap';
import { formatIssue } from '../../src/config/issue.ts';
import { indent, inspect, marked, TWO_VERSIONS } from './support.ts';

/**
 * What users get wrong, and what they are told: `▶` marks the place in the file,
 * then come the key's path, the message and the remedy. Each config is sound but
 * for that one thing, and nothing else may be told about it.
 */
export type Case = readonly [name: string, text: string, path: string, message: RegExp, fix: RegExp];

/** A whole sound service, to stand below other keys. */
export const SERVICE = 'services: { a: { versions: { v1: { url: http://a:1 } } } }\n';

/** A service with two versions and these keys besides. */
export const withKeys = (keys: string) => `services:\n  a:\n${indent(TWO_VERSIONS, 4)}${indent(keys, 4)}`;

/** A service with one version. */
export const withVersion = (version: string) => `services: { a: { versions: { v1: ${version} } } }\n`;

/** A service with three versions and nothing decided about them. */
export const withThree = (keys: string) =>
  `services:\n  a:\n    versions: { v1: { url: http://a }, v2: { url: http://b }, v3: { url: http://c } }\n${indent(keys, 4)}`;

/** A service with one rule. */
export const withRule = (text: string) => withKeys(`rules:\n  - ${text}\n`);

export const path = (rest: string) => `services.a.${rest}`;

export function refused(topic: string, cases: readonly Case[]): void {
  t.test(topic, async (t) => {
    for (const [name, text, keyPath, message, fix] of cases) {
      t.test(name, async (t) => {
        const { line, column, ...plain } = marked(text);
        const { issues, config } = inspect(plain.text);
        t.equal(config, null);
        t.equal(issues.length, 1, issues.map(formatIssue).join('\n'));
        const [issue] = issues;
        t.match(issue, { file: 'coalmine.yaml', message, fix });
        t.equal(issue?.path, keyPath);
        t.strictSame([issue?.line, issue?.column], [line, column]);
        t.notMatch(`${issue?.message}${issue?.fix}`, /undefined|\[object|null/);
      });
    }
  });
}
