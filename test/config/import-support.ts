import { readFileSync } from 'node:fs';
import { type ImportNote, importManifests } from '../../src/config/import/index.ts';
import { parseConfig } from '../../src/config/parse.ts';
import type { RawConfig, RawService } from '../../src/config/schema.ts';
import { type InspectOptions, inspect } from './support.ts';

/** Manifests in, the sound config out. */

export const TEXTBOOK = ['ingress.yaml', 'rollout.yaml', 'analysis.yaml'] as const;

export function textbook(): { name: string; text: string }[] {
  return TEXTBOOK.map((name) => ({
    name,
    text: readFileSync(new URL(`../fixtures/textbook/${name}`, import.meta.url), 'utf8'),
  }));
}

export interface Imported {
  readonly yaml: string;
  /** `m.yaml:12 spec.replicas: …`. */
  readonly notes: readonly string[];
  readonly config: RawConfig;
  /** The first service. */
  readonly service: RawService;
}

/** Fails with the problems where there are any, and where the result is not sound. */
export function imported(
  text: string | readonly { name: string; text: string }[],
  options: InspectOptions = {},
): Imported {
  const files = typeof text === 'string' ? [{ name: 'm.yaml', text }] : text;
  const result = importManifests(files);
  if (!result.ok) throw new Error(result.problems.map(lineOf).join('\n'));
  const { issues } = inspect(result.yaml, options);
  if (issues.length > 0) throw new Error(`${JSON.stringify(issues, null, 1)}\n${result.yaml}`);
  const { source } = parseConfig('result', result.yaml, options.env ?? {});
  const config = source?.value as RawConfig;
  const service = Object.values(config.services)[0] as RawService;
  return { yaml: result.yaml, notes: result.notes.map(lineOf), config, service };
}

/** The problems of what is refused; fails where nothing is. */
export function problems(text: string, name = 'm.yaml'): string[] {
  const result = importManifests([{ name, text }]);
  if (result.ok) throw new Error(`not refused:\n${result.yaml}`);
  return result.problems.map(lineOf);
}

export function lineOf({ file, line, path, message }: ImportNote): string {
  return `${file}:${line} ${path === '' ? '' : `${path}: `}${message}`;
}

const N = 'nginx.ingress.kubernetes.io';

export interface IngressOptions {
  readonly name?: string;
  readonly backend?: string;
  readonly host?: string;
  readonly path?: string;
  /** Names without the prefix. */
  readonly annotations?: Readonly<Record<string, string>>;
}

export function ingress({
  name = 'iris',
  backend = 'iris-stable',
  host = 'api.example.com',
  path = '/predict',
  annotations = {},
}: IngressOptions = {}): string {
  const lines = Object.entries(annotations).map(
    ([key, value]) => `    ${N}/${key}: ${JSON.stringify(value)}`,
  );
  return `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ${name}
${lines.length === 0 ? '' : `  annotations:\n${lines.join('\n')}\n`}spec:
  rules:
    - host: ${host}
      http:
        paths:
          - path: ${path}
            pathType: Prefix
            backend: { service: { name: ${backend}, port: { number: 80 } } }
`;
}

/** A primary Ingress and a canary one with these annotations. */
export function pair(
  canary: Readonly<Record<string, string>>,
  primary: Readonly<Record<string, string>> = {},
): string {
  return (
    ingress({ annotations: primary }) +
    ingress({ name: 'iris-canary', backend: 'iris-canary', annotations: { canary: 'true', ...canary } })
  );
}

/** A Rollout; `canary` is what stands under strategy.canary, `spec` beside strategy. */
export function rollout(canary: string, spec = '', metadata = ''): string {
  return `---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: iris-api
${indent(metadata, 2)}spec:
${indent(spec, 2)}  strategy:
    canary:
      stableService: iris-stable
      canaryService: iris-canary
${indent(canary, 6)}`;
}

export const STEPS = 'steps:\n  - setWeight: 5\n  - pause: {}\n';

/** An AnalysisTemplate; `spec` is what stands under spec. */
export function template(spec: string, name = 'success-rate', kind = 'AnalysisTemplate'): string {
  return `---
apiVersion: argoproj.io/v1alpha1
kind: ${kind}
metadata: { name: ${name} }
spec:
${indent(spec, 2)}`;
}

export const METRIC = `metrics:
  - name: ok
    successCondition: result[0] > 0.9
    provider: { prometheus: { address: http://prometheus:9090, query: up } }
`;

function indent(text: string, by: number): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? line : ' '.repeat(by) + line))
    .join('\n');
}
