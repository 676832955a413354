/** Values from the environment: `${NAME}`, `${NAME:-default}`; `$${` is a plain `${`. */
export type Env = Readonly<Record<string, string | undefined>>;

export interface EnvFault {
  readonly message: string;
  readonly fix: string;
  /** The text that is at fault, to be found in the line. */
  readonly piece: string;
}

export interface Substitution {
  readonly text: string;
  /** The variables that went in; empty when there was nothing to substitute. */
  readonly names: readonly string[];
  readonly faults: readonly EnvFault[];
}

const PIECE = /\$\$\{|\$\{([^{}]*)\}|\$\{/g;
const REFERENCE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/** One pass: what a variable holds is never looked at again. */
export function substitute(text: string, env: Env): Substitution {
  if (!text.includes('${')) return { text, names: [], faults: [] };
  const names: string[] = [];
  const faults: EnvFault[] = [];
  const result = text.replace(PIECE, (piece: string, inside: string | undefined) => {
    if (piece === '$${') return '${';
    const parts = inside === undefined ? null : REFERENCE.exec(inside);
    if (parts === null) {
      faults.push({
        piece,
        message: 'has a ${ that names no environment variable',
        fix: `write \${NAME} or \${NAME:-default}, or $\${ for a plain \${`,
      });
      return piece;
    }
    const name = parts[1] as string;
    names.push(name);
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    const fallback = parts[2];
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value !== undefined) return value;
    faults.push({
      piece,
      message: `needs the environment variable ${name}, which is not set`,
      fix: `set ${name}, or give a default as in \${${name}:-default}`,
    });
    return piece;
  });
  return { text: result, names, faults };
}
