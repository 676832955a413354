import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The pages for people: README.md and docs/*.md. */

export const ROOT = path.resolve(import.meta.dirname, '../..');

export interface Page {
  /** From the project's root, such as `docs/guide.md`. */
  readonly name: string;
  readonly text: string;
}

export interface Block {
  /** As in `docs/guide.md:12`, of the opening fence. */
  readonly place: string;
  readonly language: string;
  readonly text: string;
}

export const PAGES: readonly Page[] = [
  'README.md',
  ...readdirSync(path.join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].map((name) => ({ name, text: readFileSync(path.join(ROOT, name), 'utf8') }));

export function pageText(name: string): string {
  const page = PAGES.find((one) => one.name === name);
  if (page === undefined) throw new Error(`there is no page ${name}`);
  return page.text;
}

const FENCED = /^```(\w*)\n(.*?)^```$/gms;

export function blocksOf({ name, text }: Page): Block[] {
  return [...text.matchAll(FENCED)].map((match) => ({
    place: `${name}:${text.slice(0, match.index).split('\n').length}`,
    language: match[1] ?? '',
    text: match[2] ?? '',
  }));
}

/** What is not in a fenced block: the text that may hold links. */
export function proseOf({ text }: Page): string {
  return text.replace(FENCED, '');
}

/** Cells of the table under a heading, without its own head. */
export function tableUnder(text: string, heading: string): string[][] {
  const from = text.indexOf(`\n${heading}\n`);
  if (from < 0) throw new Error(`there is no heading ${heading}`);
  const lines = text.slice(from + 1).split('\n');
  const first = lines.findIndex((line) => line.startsWith('|'));
  const rows: string[][] = [];
  for (const line of lines.slice(first)) {
    if (!line.startsWith('|')) break;
    rows.push(
      line
        // A bar behind a backslash belongs to the cell.
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  }
  return rows.slice(2);
}
