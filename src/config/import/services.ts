import type { AddressBook } from './backends.ts';
import type { ForcedRule } from './canary.ts';
import type { Cursor, ImportNote } from './cursor.ts';
import type { Affinity, IngressFacts } from './ingress.ts';
import { describeMatches, matchOf } from './match.ts';
import type { Manifest } from './read.ts';
import type { Out, Sheet } from './sheet.ts';
import { stickyComment, stickyOf } from './stickiness.ts';
import type { Group } from './units.ts';
import { versionsOf } from './versions.ts';

/** Writes one service of the config. */
export function writeService(group: Group, salt: string | null, book: AddressBook, sheet: Sheet): Out {
  const { rollout } = group;
  const at = rollout?.canaryAt ?? group.units[0]?.primary?.manifest.root.get('spec');
  const versions = versionsOf(group, book, sheet);
  const hasCanary = 'canary' in versions;
  const asks = hasCanary ? group.units.flatMap(({ canary }) => canary?.canary ?? []) : [];
  const rules = hasCanary ? rulesOf([...asks.flatMap((ask) => ask.rules), ...(rollout?.rules ?? [])]) : [];
  const ingresses = ingressesOf(group);
  const affinity = affinityOf(ingresses, hasCanary);
  const service = sheet.map(
    {
      match: writeMatch(group, sheet),
      versions,
      stable: 'stable',
      canary: hasCanary ? 'canary' : undefined,
      weight: hasCanary && rollout === null ? (asks[0]?.weight ?? 0) : undefined,
      salt: salt ?? undefined,
      sticky: hasCanary ? stickyOf(affinity, sheet) : undefined,
      precedence: asks.length > 0 && affinity?.pinsVersions === true ? 'nginx' : undefined,
      rules: rules.length > 0 ? rules.map((rule) => writeRule(rule, sheet)) : undefined,
      maxBody: maxBodyOf(ingresses),
      rollout: rollout?.rollout,
    },
    at,
  );
  explain(group, service, asks[0]?.weightAt ?? null, sheet);
  if (hasCanary) sheet.comment(service, 'sticky', stickyComment(affinity));
  return service;
}

/** Each once, the primary ones first. */
function ingressesOf(group: Group): IngressFacts[] {
  const primaries = group.units.flatMap(({ primary }) => primary ?? []);
  return [...new Set([...primaries, ...group.units.flatMap(({ canary }) => canary ?? [])])];
}

function affinityOf(ingresses: readonly IngressFacts[], hasCanary: boolean): Affinity | null {
  const [first = null, ...others] = ingresses.flatMap(({ affinity }) => affinity ?? []);
  if (!hasCanary) first?.at.note('not carried over: without a canary there is one version to stay on');
  for (const other of others) {
    if (other.cookie !== first?.cookie || other.maxAgeS !== first.maxAgeS) {
      other.at.note(`not carried over: the affinity of ${first?.at.place} is the service’s`);
    }
  }
  return hasCanary ? first : null;
}

function maxBodyOf(ingresses: readonly IngressFacts[]): string | undefined {
  const [first, ...others] = ingresses.flatMap(({ maxBody }) => maxBody ?? []);
  for (const { size, at } of others) {
    if (size !== first?.size) at.note(`not carried over: ${first?.at.place} says it for the service`);
  }
  return first?.size;
}

function explain(group: Group, service: Out, weightAt: Cursor | null, sheet: Sheet): void {
  if (group.rollout !== null) {
    const note = weightAt?.present
      ? `canary-weight (${weightAt.scalarText()}, ${weightAt.place}) is not carried over: the steps set the weight, and it is 0 before the first.`
      : null;
    if (note !== null) {
      weightAt?.note('not carried over: the steps of the Rollout set the weight');
      sheet.comment(service, 'rollout', note);
    }
    sheet.comment(
      service,
      'rollout',
      'No data (an empty result, a provider that cannot be reached) holds the rollout; compat: argo counts it as an error, as Argo does.',
    );
  }
  if (service.precedence === 'nginx') {
    sheet.comment(
      service,
      'precedence',
      'A pinned session stands above the rules, as in NGINX. Unlike there, a weight of 0 ends the pins to the canary.',
    );
  }
}

function writeMatch(group: Group, sheet: Sheet): Out | undefined {
  const { host, path, isWider } = matchOf(group);
  const [unit] = group.units;
  if (isWider) {
    const what = `${host ?? 'any host'}, path ${path}`;
    unit?.primary?.manifest.root
      .get('spec', 'rules')
      .note(
        `several hosts or paths lead to one rollout, so one service matches all of them, and what else is below: ${what} (instead of ${describeMatches(group.units)})`,
      );
  }
  if (host === null && path === '/') return undefined;
  return sheet.flow(
    { host: host ?? undefined, path: path === '/' ? undefined : path },
    unit?.primary?.routes[0]?.at,
  );
}

/** The same rule from two places is one. */
function rulesOf(rules: readonly ForcedRule[]): ForcedRule[] {
  const seen = new Set<string>();
  return rules.filter(({ source, name, match, use }) => {
    const id = JSON.stringify([source, name.toLowerCase(), match, use]);
    return !seen.has(id) && seen.add(id);
  });
}

function writeRule({ source, name, match, use, at }: ForcedRule, sheet: Sheet): Out {
  const value = typeof match === 'string' ? match : sheet.flow({ ...match });
  return sheet.flow({ when: sheet.flow({ [source]: sheet.flow({ [name]: value }) }), use }, at);
}

/** Names of services: a Rollout's `app` label where queries ask for it, else its name; else the backend's. */
export function nameOf(group: Group, queries: string): string {
  const { rollout } = group;
  if (rollout !== null) {
    const { appLabel, manifest } = rollout;
    const asked = (text: string) => queries.includes(`"${text}"`);
    return appLabel !== null && asked(appLabel) && !asked(manifest.name) ? appLabel : manifest.name;
  }
  const backend = group.units[0]?.stableBackend ?? group.units[0]?.canaryBackend;
  return (backend?.service ?? 'service').replace(/-stable$/, '');
}

/** All that was said of the manifests, as lines of a comment. */
export function commentOf(manifests: Iterable<Manifest>): string {
  return notesOf(manifests).map(noteLine).join('\n');
}

/** In the order of the files, each once. */
export function notesOf(manifests: Iterable<Manifest>): ImportNote[] {
  const origins = new Set([...manifests].map(({ origin }) => origin));
  return [...origins].flatMap(({ notes }) => distinct([...notes].sort((a, b) => a.line - b.line)));
}

/** A value that was read twice is told once. */
export function distinct(notes: readonly ImportNote[]): ImportNote[] {
  return [...new Map(notes.map((note) => [noteLine(note), note])).values()];
}

export function noteLine({ file, line, path, message }: ImportNote): string {
  return `${file}:${line} ${path === '' ? '' : `${path}: `}${message}`;
}

export function manifestsOf(group: Group): Manifest[] {
  const ingresses = group.units.flatMap(({ primary, canary }) => [primary ?? [], canary ?? []].flat());
  return [
    ...ingresses.map(({ manifest }) => manifest),
    ...(group.rollout === null ? [] : [group.rollout.manifest]),
  ];
}
