import type { Cursor } from './cursor.ts';
import type { Manifest } from './read.ts';
import { type Out, plain, type Sheet } from './sheet.ts';

/** Arguments of analyses: what Argo takes out of the cluster must come from elsewhere here. */
export interface ArgReader {
  readonly sheet: Sheet;
  /** The Rollout that field references read; null in a template. */
  readonly rollout: Manifest | null;
  /** Names of environment variables that the config will ask for. */
  readonly variables: Set<string>;
}

export function readArgs(at: Cursor, reader: ArgReader): Out[] | undefined {
  if (!at.present) return undefined;
  return at.items().map((item) => readArg(item, reader));
}

function readArg(at: Cursor, reader: ArgReader): Out {
  const { sheet } = reader;
  for (const [key, child] of at.children()) {
    if (key !== 'name' && key !== 'value' && key !== 'valueFrom') {
      child.note('not carried over: import does not know this field');
    }
  }
  const name = at.get('name').text() ?? undefined;
  const value = at.get('value').scalarText();
  const from = at.get('valueFrom');
  if (!from.present) return sheet.flow({ name, value: value === null ? undefined : plain(value) }, at);
  for (const [kind, source] of from.children()) {
    if (kind === 'podTemplateHashValue') {
      return sheet.flow(
        { name, valueFrom: sheet.map({ podTemplateHashValue: source.text() ?? undefined }) },
        at,
      );
    }
    if (kind === 'fieldRef') return fieldArg(name, source, at, reader);
    if (kind === 'secretKeyRef') return secretArg(name, source, at, reader);
    source.fail('is a source of a value that cannot be carried over; give the argument a plain value');
  }
  return sheet.flow({ name }, at);
}

/** A secret does not belong in the file: it comes from the environment. */
function secretArg(name: string | undefined, source: Cursor, at: Cursor, reader: ArgReader): Out {
  const secret = source.get('name').text() ?? '';
  const key = source.get('key').text() ?? '';
  const variable = variableOf(`${secret}_${key}`);
  reader.variables.add(variable);
  source.note(
    `the key ${key} of the Secret ${secret} is taken from the environment variable ${variable}: set it`,
  );
  return reader.sheet.flow({ name, value: `\${${variable}}` }, at);
}

function variableOf(text: string): string {
  const name = text.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

const FIELD =
  /^metadata\.(?:(name|namespace)|(labels|annotations)(?:\['([^']+)'\]|\["([^"]+)"\]|\.([\w-]+)))$/;

/** The Rollout's own metadata at hand are written out: nothing has such fields later. */
function fieldArg(name: string | undefined, source: Cursor, at: Cursor, reader: ArgReader): Out {
  const { sheet, rollout } = reader;
  const pathAt = source.get('fieldPath');
  const path = pathAt.text() ?? '';
  if (rollout === null) {
    pathAt.fail(
      'a field of the Rollout cannot be read by a template here; let the Rollout give the argument',
    );
    return sheet.flow({ name }, at);
  }
  const [, own, group, a, b, c] = FIELD.exec(path) ?? [];
  const metadata = rollout.root.get('metadata');
  const target = own !== undefined ? metadata.get(own) : metadata.get(group ?? '', a ?? b ?? c ?? '');
  const value = target.present ? target.scalarText() : null;
  if (value === null) {
    pathAt.fail(`the field ${path} is not in the manifest; give the argument a plain value`);
    return sheet.flow({ name }, at);
  }
  pathAt.note(`the value of ${path} is written into the config as it is now`);
  return sheet.flow({ name, value: plain(value) }, at);
}
