import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { FlatHeaders } from '../../src/gateway/headers.ts';

/** Requests without a socket, for what only reads their headers. */

export type Line = readonly [name: string, value: string];

/** A request with these header lines, `headers` made of them as Node does it. */
export function requestWith(lines: readonly Line[], httpVersion = '1.1'): IncomingMessage {
  const headers: IncomingHttpHeaders = {};
  for (const [name, value] of lines) {
    const lower = name.toLowerCase();
    const before = headers[lower];
    headers[lower] = before === undefined ? value : `${before}, ${value}`;
  }
  return { rawHeaders: lines.flat(), headers, httpVersion } as unknown as IncomingMessage;
}

/** All values of one header in a flat list, in their order. */
export function valuesIn(flat: FlatHeaders, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    if ((flat[i] as string).toLowerCase() === name) values.push(flat[i + 1] as string);
  }
  return values;
}
