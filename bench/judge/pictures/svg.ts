/** Just enough of SVG for a chart: own background, so that light and dark pages show the same. */

export const COLOURS = {
  paper: '#f7f5f0',
  ink: '#1c1b19',
  soft: '#625d54',
  rule: '#d8d3c8',
  grey: '#8b857a',
  blue: '#2c557f',
  amber: '#9a6200',
  red: '#b11f17',
  green: '#1f6b43',
} as const;

export const WIDTH = 800;
const DIGITS = 1;

export interface Style {
  readonly colour: string;
  readonly width?: number;
  readonly dash?: string;
  readonly opacity?: number;
}

/** A picture with a name and a description for those who cannot see it. Heights in pixels. */
export function picture(title: string, desc: string, height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title desc" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="14">`,
    `<title id="title">${escapeText(title)}</title>`,
    `<desc id="desc">${escapeText(desc)}</desc>`,
    `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="6" fill="${COLOURS.paper}" stroke="${COLOURS.rule}"/>`,
    label(24, 34, title, { colour: COLOURS.ink, size: 17, bold: true }),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

export interface TextStyle {
  readonly colour?: string;
  readonly size?: number;
  readonly bold?: boolean;
  readonly anchor?: 'start' | 'middle' | 'end';
}

export function label(x: number, y: number, text: string, style: TextStyle = {}): string {
  const { colour = COLOURS.soft, size = 14, bold = false, anchor = 'start' } = style;
  const weight = bold ? ' font-weight="700"' : '';
  return `<text x="${at(x)}" y="${at(y)}" fill="${colour}" font-size="${size}" text-anchor="${anchor}"${weight}>${escapeText(text)}</text>`;
}

export function line(points: readonly (readonly [number, number])[], style: Style): string {
  const { colour, width = 2, dash, opacity } = style;
  const dashed = dash === undefined ? '' : ` stroke-dasharray="${dash}"`;
  const faint = opacity === undefined ? '' : ` opacity="${opacity}"`;
  const places = points.map(([x, y]) => `${at(x)},${at(y)}`).join(' ');
  return `<polyline points="${places}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linejoin="round"${dashed}${faint}/>`;
}

export function bar(x: number, y: number, width: number, height: number, colour: string): string {
  return `<rect x="${at(x)}" y="${at(y)}" width="${at(Math.max(2, width))}" height="${at(height)}" fill="${colour}"/>`;
}

/** From values to pixels, clamped to the ends. */
export function scale(from: number, to: number, first: number, last: number): (value: number) => number {
  return (value) => {
    const share = Math.min(1, Math.max(0, (value - from) / (to - from)));
    return first + share * (last - first);
  };
}

export function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Rounded, so that no last bit of a logarithm shows. */
function at(pixels: number): string {
  return String(Number(pixels.toFixed(DIGITS)));
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
