import type { Cursor } from './cursor.ts';

/**
 * What becomes of a manifest's fields. `kept`: it goes into the config, with all
 * below it. `lost`: it has no meaning here, and why. A field that stands in no
 * table is told as unknown, so that nothing is dropped in silence.
 */
export type Field =
  | 'kept'
  | { readonly lost: string }
  | { readonly keys: Readonly<Record<string, Field>> }
  | { readonly items: Field };

export function lost(why: string): Field {
  return { lost: why };
}

export function keys(table: Readonly<Record<string, Field>>): Field {
  return { keys: table };
}

export function listOf(field: Field): Field {
  return { items: field };
}

/** Notes every field that is not carried over, the topmost of each branch. */
export function tellLost(at: Cursor, field: Field): void {
  if (!at.present || field === 'kept') return;
  if ('lost' in field) at.note(`not carried over: ${field.lost}`);
  else if ('items' in field) for (const item of at.items()) tellLost(item, field.items);
  else {
    for (const [name, child] of at.children()) {
      const known = Object.hasOwn(field.keys, name) ? field.keys[name] : undefined;
      if (known !== undefined) tellLost(child, known);
      // Even with nothing in it: it may be a typo.
      else child.note('not carried over: import does not know this field');
    }
  }
}

const OWN = lost('bookkeeping of the cluster');

/** `metadata` of a manifest that is read; `annotations` are an Ingress' own matter. */
export function metadata(annotations: Field = lost('annotations of the Kubernetes object')): Field {
  return keys({
    name: 'kept',
    namespace: 'kept',
    labels: lost('labels of the Kubernetes object'),
    annotations,
    generateName: OWN,
    creationTimestamp: OWN,
    deletionTimestamp: OWN,
    deletionGracePeriodSeconds: OWN,
    finalizers: OWN,
    generation: OWN,
    managedFields: OWN,
    ownerReferences: OWN,
    resourceVersion: OWN,
    selfLink: OWN,
    uid: OWN,
  });
}

/** The fields that every manifest has, around those of its kind. */
export function manifest(spec: Field, annotations?: Field): Field {
  return keys({
    apiVersion: 'kept',
    kind: 'kept',
    metadata: metadata(annotations),
    spec,
    status: lost('the state of the cluster at the time'),
  });
}
