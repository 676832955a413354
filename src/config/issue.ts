/** One problem of a config file: where it is, what is wrong, and what would be right. */
export interface ConfigIssue {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** Such as `services.iris-api.rules[2].weight`; '' for the file as a whole. */
  readonly path: string;
  /** A phrase without a full stop. Never shows a secret, nor the text of a value that was refused. */
  readonly message: string;
  /** What to write instead; a phrase without a full stop. */
  readonly fix: string;
}

/** Keys and list positions from the root down. */
export type Path = readonly (string | number)[];

/** One line for a terminal or a log: `coalmine.yaml:12:15 services.iris-api.weight: …; …`. */
export function formatIssue(issue: ConfigIssue): string {
  const where = `${issue.file}:${issue.line}:${issue.column}`;
  const what = issue.path === '' ? issue.message : `${issue.path}: ${issue.message}`;
  return issue.fix === '' ? `${where} ${what}` : `${where} ${what}; ${issue.fix}`;
}

/** Names that hold a dot or anything odd are quoted, so that a path has one reading. */
export function formatPath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (!/^[A-Za-z0-9_-]+$/.test(part)) text += `[${JSON.stringify(clip(part))}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** Text from outside, made short enough for a message. */
export function clip(text: string, most = 60): string {
  return text.length <= most ? text : `${text.slice(0, most)}…`;
}

/** `a`, `a or b`, `a, b or c`. */
export function orList(words: readonly string[]): string {
  const last = words.at(-1);
  if (last === undefined) return '';
  return words.length === 1 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}
