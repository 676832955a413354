import type { PemInspector } from '../check/files.ts';
import { parseConfig } from '../parse.ts';
import { checkConfig, finishCheck } from '../validate.ts';
import type { ImportNote } from './cursor.ts';
import type { Out, Sheet } from './sheet.ts';

const noFiles: PemInspector = { flaw: () => null, isPair: () => true };

/**
 * What our own check says of the result, told with the places of the manifests:
 * what was made here must be sound, and what was copied may not be.
 */
export function problemsOf(
  yaml: string,
  root: Out,
  sheet: Sheet,
  variables: ReadonlySet<string>,
): ImportNote[] {
  const env = Object.fromEntries([...variables].map((name) => [name, 'http://from.the.environment']));
  const { source, issues } = parseConfig('the result', yaml, env);
  if (source === null) return issues.map(({ file, line, path, message }) => ({ file, line, path, message }));
  const checked = checkConfig(source, issues, env);
  return finishCheck(checked, new Map(), noFiles).map((issue) => {
    const message = issue.fix === '' ? issue.message : `${issue.message}; ${issue.fix}`;
    const at = sheet.originOf(root, readPath(issue.path));
    return (
      at?.told(`becomes ${issue.path}, which ${message}`) ?? {
        file: issue.file,
        line: issue.line,
        path: issue.path,
        message,
      }
    );
  });
}

const PART = /\[([0-9]+)\]|\[("(?:[^"\\]|\\.)*")\]|([A-Za-z0-9_-]+)/g;

/** The reverse of formatPath. */
function readPath(text: string): (string | number)[] {
  return [...text.matchAll(PART)].map(([, index, quoted, plainName]) => {
    if (index !== undefined) return Number(index);
    return quoted !== undefined ? String(JSON.parse(quoted)) : (plainName ?? '');
  });
}
