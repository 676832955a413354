import { AddressBook, readService } from './backends.ts';
import type { ImportNote } from './cursor.ts';
import { readIngress } from './ingress.ts';
import { type Manifest, readManifests } from './read.ts';
import { readRollout } from './rollout.ts';
import { commentOf, distinct, manifestsOf, nameOf, notesOf, writeService } from './services.ts';
import { type Out, plain, printable, Sheet } from './sheet.ts';
import { NGINX_PREFIX } from './tables/annotations.ts';
import { nameTemplates } from './template-names.ts';
import { readTemplate, type TemplateFacts } from './templates.ts';
import { type Group, makeGroups, makeUnits } from './units.ts';
import { problemsOf } from './verify.ts';

export type { ImportNote } from './cursor.ts';

export type ImportResult =
  | { readonly ok: true; readonly yaml: string; readonly notes: readonly ImportNote[] }
  | { readonly ok: false; readonly problems: readonly ImportNote[] };

/**
 * One config out of Kubernetes manifests: NGINX Ingresses, Argo Rollouts and their
 * analysis templates, and Services for their ports. What is not carried over is in
 * the notes and in the comments of the YAML; a result passes the config's own check.
 * Never throws for what a file may hold.
 */
export function importManifests(files: readonly { name: string; text: string }[]): ImportResult {
  const read = files.map(({ name, text }) => readManifests(name, text));
  const problems = read.flatMap((one) => one.problems);
  const manifests = read.flatMap((one) => one.manifests);
  if (problems.length > 0) return refused(problems);
  const { root, sheet, variables, head } = write(
    manifests,
    files.map(({ name }) => name),
  );
  const found = manifests.flatMap(({ origin }) => origin.problems);
  if (found.length > 0) return refused(found);
  if (root === null) {
    const file = files[0]?.name ?? '';
    const message = 'no Ingress and no Rollout is among the files, so there is nothing to serve';
    return refused([{ file, line: 1, path: '', message }]);
  }
  const yaml = sheet.print(root, head());
  const faults = problemsOf(yaml, root, sheet, variables);
  if (faults.length > 0) return refused(faults);
  return { ok: true, yaml, notes: notesOf(manifests) };
}

interface Written {
  /** Null: there is no service. */
  readonly root: Out | null;
  readonly sheet: Sheet;
  readonly variables: ReadonlySet<string>;
  /** The comment above all; to be called last. */
  readonly head: () => string;
}

function write(manifests: readonly Manifest[], names: readonly string[]): Written {
  const sheet = new Sheet();
  const variables = new Set<string>();
  const sorted = sort(manifests);
  const rollouts = sorted.rollouts.flatMap((one) => readRollout(one, sheet, variables) ?? []);
  const ingresses = sorted.ingresses.map((one) => readIngress(one, prefixOf(sorted.rollouts)));
  const templates = sorted.templates.map((one) => readTemplate(one, sheet, variables));
  const services = sorted.services.map(readService);
  const backends = ingresses.flatMap(({ routes }) => routes.map(({ backend }) => backend));
  const book = new AddressBook(services, backends);
  const groups = makeGroups(makeUnits(ingresses), rollouts);
  const named = nameTemplates(templates, rollouts);
  const queries = JSON.stringify([
    templates.map(({ spec }) => spec),
    rollouts.map(({ rollout }) => rollout),
  ]).replaceAll('\\"', '"');
  const written = writeServices(groups, queries, book, sheet);
  const root = sheet.map({
    services: written,
    analysisTemplates:
      named.size === 0 ? undefined : Object.fromEntries([...named].map(([k, v]) => [k, v.spec])),
  });
  const told = commentServices(groups, written, named, root, sheet);
  const head = () =>
    headOf(
      names,
      manifests.filter((one) => !told.has(one)),
      variables,
    );
  return { root: groups.length === 0 ? null : root, sheet, variables, head };
}

function writeServices(groups: readonly Group[], queries: string, book: AddressBook, sheet: Sheet): Out {
  const services = sheet.map({});
  const salts = sharedSalts(groups);
  for (const group of groups) {
    const name = freeName(nameOf(group, queries), services);
    services[name] = writeService(group, salts.get(group) ?? null, book, sheet);
  }
  return services;
}

/** Hosts and paths of one canary become services of their own; a user has the same bucket in all of them. */
function sharedSalts(groups: readonly Group[]): Map<Group, string> {
  const byCanary = new Map<string, Group[]>();
  for (const group of groups) {
    const backend = group.units[0]?.canaryBackend;
    if (group.rollout !== null || !backend) continue;
    const id = `${backend.namespace ?? ''}/${backend.service}`;
    byCanary.set(id, [...(byCanary.get(id) ?? []), group]);
  }
  const salts = new Map<Group, string>();
  for (const members of byCanary.values()) {
    const salt = members[0]?.units[0]?.canaryBackend?.service ?? '';
    if (members.length > 1) for (const group of members) salts.set(group, plain(salt));
  }
  return salts;
}

function freeName(name: string, taken: Out): string {
  let free = name;
  for (let i = 2; Object.hasOwn(taken, free); i++) free = `${name}-${i}`;
  return free;
}

/** Puts what was said of a manifest above what it became; answers the manifests that have a place. */
function commentServices(
  groups: readonly Group[],
  services: Out,
  templates: ReadonlyMap<string, TemplateFacts>,
  root: Out,
  sheet: Sheet,
): Set<Manifest> {
  const told = new Set<Manifest>();
  const put = (owner: object, key: string, manifests: readonly Manifest[]) => {
    const fresh = manifests.filter((one) => !told.has(one));
    for (const one of fresh) told.add(one);
    const text = commentOf(fresh);
    if (text !== '') sheet.comment(owner, key, text);
  };
  const names = Object.keys(services);
  for (const [i, group] of groups.entries()) put(services, names[i] as string, manifestsOf(group));
  const specs = root.analysisTemplates;
  if (typeof specs === 'object' && specs !== null) {
    for (const [name, { manifest }] of templates) put(specs, name, [manifest]);
  }
  return told;
}

function headOf(names: readonly string[], rest: readonly Manifest[], variables: ReadonlySet<string>): string {
  const files = names.map((name) => printable(name)).join(' ');
  const lines = [
    `Written by \`coalmine import ${files}\`.`,
    'Comments such as “rollout.yaml:12 spec.replicas: …” name what was not carried over, or not as it stood.',
    'Try it with `coalmine validate`; addresses in .svc resolve inside the cluster only.',
  ];
  if (variables.size > 0) lines.push(`It needs these environment variables: ${[...variables].join(', ')}.`);
  const others = commentOf(rest);
  return [...lines, ...(others === '' ? [] : [others])].join('\n');
}

interface Sorted {
  readonly ingresses: Manifest[];
  readonly rollouts: Manifest[];
  readonly templates: Manifest[];
  readonly services: Manifest[];
}

function sort(manifests: readonly Manifest[]): Sorted {
  const sorted: Sorted = { ingresses: [], rollouts: [], templates: [], services: [] };
  for (const one of manifests) {
    const [group = ''] = one.apiVersion.split('/');
    const id = one.apiVersion.includes('/') ? `${group}/${one.kind}` : one.kind;
    if (id === 'networking.k8s.io/Ingress' || id === 'extensions/Ingress') sorted.ingresses.push(one);
    else if (id === 'argoproj.io/Rollout') sorted.rollouts.push(one);
    else if (id === 'argoproj.io/AnalysisTemplate' || id === 'argoproj.io/ClusterAnalysisTemplate') {
      sorted.templates.push(one);
    } else if (id === 'Service') sorted.services.push(one);
    else one.root.note(`${one.kind} ${one.name} is not read: ${whyIgnored(group, one.kind)}`);
  }
  return sorted;
}

function whyIgnored(group: string, kind: string): string {
  if (group === 'flagger.app') return 'docs/migration.md says how to write what Flagger’s objects say';
  if (group === 'argoproj.io') return `a ${kind} is a part of Argo’s own running`;
  if (kind === 'Secret') return 'put its values into environment variables or files';
  return 'it has no meaning outside Kubernetes';
}

/** A controller may have been given another prefix for its annotations; the Rollout knows it. */
function prefixOf(rollouts: readonly Manifest[]): string {
  const path = ['spec', 'strategy', 'canary', 'trafficRouting', 'nginx', 'annotationPrefix'] as const;
  for (const { root } of rollouts) {
    const { value } = root.get(...path);
    if (typeof value === 'string' && value !== '') return value;
  }
  return NGINX_PREFIX;
}

function refused(problems: readonly ImportNote[]): ImportResult {
  return { ok: false, problems: distinct(problems) };
}
