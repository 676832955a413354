import type { AddressBook } from './backends.ts';
import type { Cursor } from './cursor.ts';
import type { Backend } from './ingress.ts';
import { type Out, plain, type Sheet } from './sheet.ts';
import type { Group } from './units.ts';

/** The addresses of the two versions of a service, from the Ingresses, the Rollout, or a guess that is told. */
export function versionsOf(group: Group, book: AddressBook, sheet: Sheet): Out {
  const [unit] = group.units;
  const stable = withService(
    group,
    group.rollout?.stableService ?? null,
    unit?.stableBackend ?? null,
    'stableService',
  );
  const canary = withService(
    group,
    group.rollout?.canaryService ?? null,
    unit?.canaryBackend ?? null,
    'canaryService',
  );
  const known = stable ?? canary;
  const versions = sheet.map({});
  versions.stable = versionOf(stable ?? guess(group, known, 'stable'), book, sheet);
  if (group.rollout === null && canary === null) return versions;
  const made = versionOf(canary ?? guess(group, known, 'canary'), book, sheet);
  versions.canary = made;
  const image = group.rollout?.image ?? null;
  if (image !== null && image.length <= 256) {
    made.revision = plain(image);
    sheet.comment(made, 'revision', 'A new text begins a new rollout, as a new pod template does in Argo.');
  }
  return versions;
}

/** The Rollout's own word goes before the Ingress'. */
function withService(
  group: Group,
  name: string | null,
  backend: Backend | null,
  key: 'stableService' | 'canaryService',
): Backend | null {
  if (name === null || group.rollout === null) return backend;
  if (backend?.service === name) return backend;
  const { manifest, canaryAt } = group.rollout;
  const at = canaryAt.get(key).present ? canaryAt.get(key) : canaryAt;
  if (backend !== null) {
    backend.at.note(`the Rollout says ${name} instead of ${backend.service}; the config takes the Rollout’s`);
  }
  const scheme = backend?.scheme ?? schemeOf(group);
  return { service: name, namespace: manifest.namespace, port: null, scheme, at };
}

function schemeOf(group: Group): 'http' | 'https' {
  const backends = group.units.flatMap(
    ({ stableBackend, canaryBackend }) => stableBackend ?? canaryBackend ?? [],
  );
  return backends[0]?.scheme ?? 'http';
}

/** Where no manifest says it. Without a Rollout nothing is there to guess from. */
function guess(group: Group, known: Backend | null, role: 'stable' | 'canary'): Backend {
  const rollout = group.rollout;
  const at = (rollout?.canaryAt ?? known?.at) as Cursor;
  const name = rollout?.manifest.name ?? known?.service ?? 'service';
  const namespace = rollout?.manifest.namespace ?? known?.namespace ?? null;
  const service = known?.service === name || role === 'canary' ? `${name}-${role}` : name;
  const guessed = {
    service,
    namespace,
    port: known?.port ?? null,
    scheme: known?.scheme ?? 'http',
    at,
  } as const;
  if (rollout === null)
    at.fail('is a canary without a primary Ingress of the same host and path: give its file too');
  else
    at.note(
      `no manifest says which Service leads to the ${role} version; ${service} is a guess: put its address`,
    );
  return guessed;
}

function versionOf(backend: Backend, book: AddressBook, sheet: Sheet): Out {
  return sheet.map({ url: plain(book.urlOf(backend)) }, backend.at);
}
