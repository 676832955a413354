import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { ROOT } from '../docs/pages.ts';

/** The manifests under config/kubernetes. */

export const FOLDER = path.join(ROOT, 'config/kubernetes');

/** Plain data; what it is like is what the tests find out. */
export type Data = { readonly [key: string]: unknown };

export interface Manifest {
  /** `gateway/services.yaml Service coalmine`. */
  readonly place: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly data: Data;
}

export interface Kustomization {
  readonly folder: string;
  readonly resources: readonly string[];
  readonly generators: readonly { readonly name: string; readonly files: readonly string[] }[];
  readonly data: Data;
}

export function kustomization(folder: string): Kustomization {
  const data = parse(read(folder, 'kustomization.yaml')) as Data;
  return {
    folder,
    resources: (data.resources ?? []) as string[],
    generators: (data.configMapGenerator ?? []) as Kustomization['generators'],
    data,
  };
}

export function read(folder: string, file: string): string {
  return readFileSync(path.join(FOLDER, folder, file), 'utf8');
}

export function manifestsIn(text: string, place: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw new Error(`${place}: ${document.errors.join('; ')}`);
    const data = document.toJS() as Data;
    const { name, labels = {} } = data.metadata as { name: string; labels?: Record<string, string> };
    const { apiVersion, kind } = data as { apiVersion: string; kind: string };
    return { place: `${place} ${kind} ${name}`, apiVersion, kind, name, labels, data };
  });
}

/** Every resource that a kustomization names, in its order. */
export function manifestsOf({ folder, resources }: Kustomization): Manifest[] {
  return resources.flatMap((file) => manifestsIn(read(folder, file), `${folder}/${file}`));
}

/** What `kubectl kustomize` makes of it. Guard with requireTool. */
export function built(folder: string): Manifest[] {
  const { status, stdout, stderr, error } = spawnSync('kubectl', ['kustomize', path.join(FOLDER, folder)], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  if (error !== undefined || status !== 0) throw error ?? new Error(stderr);
  return manifestsIn(stdout, `${folder} built`);
}

/** The value at `a.b.0.c`; undefined where there is none. */
export function at(data: unknown, place: string): unknown {
  return place.split('.').reduce<unknown>((held, key) => (held as Data | undefined | null)?.[key], data);
}

export function matches(labels: unknown, selector: unknown): boolean {
  const wanted = Object.entries((selector ?? {}) as Record<string, string>);
  return wanted.length > 0 && wanted.every(([key, value]) => (labels as Data | undefined)?.[key] === value);
}
