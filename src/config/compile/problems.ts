import type { Path } from '../issue.ts';
import { pointerOf } from '../parse/source.ts';

/**
 * Where resolving an analysis tells what is wrong. It runs twice: in the check,
 * where problems are collected, and when compiling, where there are none left.
 */
export interface Problems {
  error(path: Path, message: string, fix: string, part?: 'key' | 'value', at?: number): void;
  warn(path: Path, message: string, fix: string): void;
}

/** For compiling: a problem that the check let through is a defect of ours. */
export const NO_PROBLEMS: Problems = {
  error(path, message) {
    throw new Error(`compiled before it was checked: ${path.join('.')} ${message}`);
  },
  warn() {},
};

/** A template is looked at once for each of its uses; what is wrong with it is told once. */
export function toldOnce(problems: Problems): Problems {
  const told = new Set<string>();
  const isNew = (kind: string, path: Path) => {
    const key = kind + pointerOf(path);
    if (told.has(key)) return false;
    told.add(key);
    return true;
  };
  return {
    error(path, message, fix, part, at) {
      if (isNew('error', path)) problems.error(path, message, fix, part, at);
    },
    warn(path, message, fix) {
      if (isNew('warning', path)) problems.warn(path, message, fix);
    },
  };
}
