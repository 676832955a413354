import { bar, COLOURS, grouped, label, picture, scale, WIDTH } from './svg.ts';

/** Requests of users that met a bad version before it was taken back, out of the tables of docs/statistics.md. */

const CELL = '5 % of 100 rps';
const TABLES = [
  { scenario: 'errors-5', title: 'It fails 5 % instead of 0.1 %' },
  { scenario: 'errors-1', title: 'It fails 1 % instead of 0.1 %' },
] as const;
const RULES = [
  { column: 'coalmine', name: 'Coalmine', colour: COLOURS.blue },
  { column: 'argo 1m', name: "Argo Rollouts' rule, 1 min", colour: COLOURS.grey },
  { column: 'flagger', name: "Flagger's rule, 1 min", colour: COLOURS.grey },
  { column: 'kayenta', name: "Kayenta's rule, 1 h", colour: COLOURS.grey },
] as const;

/** Medians by column; null: most were never rolled back. */
export function mediansIn(page: string, scenario: string, cell: string): Map<string, number | null> {
  const from = page.indexOf(`\n\`${scenario}\`, `);
  if (from < 0) throw new Error(`the page has no table of ${scenario}`);
  const rows = page
    .slice(page.indexOf('\n|', from) + 1)
    .split('\n')
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((text) => text.trim()),
    );
  const [head = []] = rows;
  const row = rows.find(([first]) => first === cell);
  if (row === undefined) throw new Error(`the table of ${scenario} has no row ${cell}`);
  return new Map(head.map((column, i) => [column, medianOf(row[i] ?? '')]));
}

/** Simulated rollouts a cell. */
function runsIn(page: string, scenario: string): number {
  const found = new RegExp(`^\`${scenario}\`, ([\\d,]+) runs a cell`, 'm').exec(page)?.[1];
  if (found === undefined) throw new Error(`the page does not say how often ${scenario} ran`);
  return Number(found.replaceAll(',', ''));
}

function medianOf(text: string): number | null {
  const digits = /^[\d,]+/.exec(text)?.[0];
  return digits === undefined ? null : Number(digits.replaceAll(',', ''));
}

const LEFT = 220;
const ROW = 32;

export function exposedPicture(page: string): string {
  const tables = TABLES.map((table) => ({ ...table, medians: mediansIn(page, table.scenario, CELL) }));
  const most = Math.max(
    ...tables.flatMap(({ medians }) => RULES.map(({ column }) => medians.get(column) ?? 0)),
  );
  const width = scale(0, most, 0, WIDTH - LEFT - 110);
  const runs = TABLES.map(({ scenario }) => runsIn(page, scenario));
  const told = `New version at ${CELL}; median of ${Math.min(...runs)} runs. Shorter is better.`;
  const parts = [label(24, 58, told)];
  const said: string[] = [];
  let y = 96;
  for (const { title, medians } of tables) {
    parts.push(label(24, y, title, { colour: COLOURS.ink, bold: true }));
    y += 14;
    for (const { column, name, colour } of RULES) {
      const median = medians.get(column) ?? null;
      const text = median === null ? 'not taken back' : grouped(median);
      parts.push(label(LEFT - 10, y + 16, name, { anchor: 'end', colour: COLOURS.ink }));
      if (median !== null) parts.push(bar(LEFT, y + 2, width(median), ROW - 12, colour));
      parts.push(
        label(LEFT + Math.max(2, width(median ?? 0)) + 8, y + 16, text, {
          colour: COLOURS.ink,
          bold: column === 'coalmine',
        }),
      );
      said.push(`${title}, ${name}: ${text}`);
      y += ROW;
    }
    y += 24;
  }
  return picture(
    'Requests that met the bad version',
    `Until it was taken back. ${said.join('. ')}.`,
    y,
    parts,
  );
}
