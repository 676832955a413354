import { SMUGGLED } from '../../support/invariants.ts';
import { head } from '../../support/raw.ts';

/** What hostile clients send: every class of request framing that two parsers have ever read differently. */

export interface Case {
  readonly name: string;
  readonly send: string | readonly string[];
  /** `either`: refused, or served exactly so. */
  readonly expect: 'refused' | 'served' | 'either';
  /** Bodies that the upstream must have got where the case is served. */
  readonly bodies?: readonly string[];
  /** Refused, but not for its framing: the connection may go on. */
  readonly mayStay?: boolean;
}

export const PREFIX = head(`GET ${SMUGGLED} HTTP/1.1`);
/** A chunked body that ends at once, with a request behind it for a server that does not read chunks. */
const EMPTY_CHUNKED = `0\r\n\r\n${PREFIX}`;

export function post(lines: readonly string[], body: string): string {
  return head('POST /x HTTP/1.1', ...lines) + body;
}

export function each(
  group: string,
  expect: Case['expect'],
  sends: Record<string, string | readonly string[]>,
  more: Partial<Case> = {},
): Case[] {
  return Object.entries(sends).map(([name, send]) => ({ name: `${group}: ${name}`, send, expect, ...more }));
}

function byLine(lines: readonly string[], body: string): Record<string, string> {
  return Object.fromEntries(lines.map((line) => [JSON.stringify(line), post(line.split('|'), body)]));
}

export const chunked = (body: string) => post(['Transfer-Encoding: chunked'], body);

const lengthAndCoding: Case[] = each('CL+TE', 'refused', {
  'length first': post(['Content-Length: 4', 'Transfer-Encoding: chunked'], EMPTY_CHUNKED),
  'coding first': post(['Transfer-Encoding: chunked', 'Content-Length: 4'], EMPTY_CHUNKED),
  'length 0': post(['Content-Length: 0', 'Transfer-Encoding: chunked'], EMPTY_CHUNKED),
  'length of the whole': post(['Content-Length: 60', 'Transfer-Encoding: chunked'], EMPTY_CHUNKED),
  'a coding that is none': post(['Content-Length: 4', 'Transfer-Encoding: xchunked'], EMPTY_CHUNKED),
  'an identity coding': post(['Content-Length: 4', 'Transfer-Encoding: identity'], EMPTY_CHUNKED),
  'HTTP/1.0': post(['Content-Length: 4', 'Transfer-Encoding: chunked'], EMPTY_CHUNKED).replace('1.1', '1.0'),
  'in a GET': post(['Content-Length: 4', 'Transfer-Encoding: chunked'], EMPTY_CHUNKED).replace('POST', 'GET'),
});

const codings: Case[] = [
  ...each(
    'TE.TE',
    'refused',
    byLine(
      [
        'Transfer-Encoding: chunked, identity',
        'Transfer-Encoding: identity, chunked',
        'Transfer-Encoding: chunked, chunked',
        'Transfer-Encoding: gzip, chunked',
        'Transfer-Encoding: xchunked',
        'Transfer-Encoding: chunk',
        'Transfer-Encoding: "chunked"',
        "Transfer-Encoding: 'chunked'",
        'Transfer-Encoding: chunked;q=1',
        'Transfer-Encoding: chunked\u0000',
        'Transfer-Encoding: \u000bchunked',
        'Transfer-Encoding: \u00ffchunked',
        'Transfer-Encoding: \u00a0chunked',
        'Transfer-Encoding:',
        'Transfer-Encoding : chunked',
        'Transfer-Encoding\t: chunked',
        'Transfer-Encoding: chunked|Transfer-Encoding: identity',
        'Transfer-Encoding: identity|Transfer-Encoding: chunked',
        'Transfer-Encoding: chunked|Transfer-Encoding: chunked',
        'Transfer-Encoding: chunked|transfer-encoding: x',
        'Transfer-Encoding:| chunked',
        'Transfer-Encoding: chunked| , identity',
        'X: y| Transfer-Encoding: chunked',
        'X: y\nTransfer-Encoding: chunked',
        'X: y\rTransfer-Encoding: chunked',
        'Transfer-Encoding\u0000: chunked',
        'Transfer-Encoding\u00e9: chunked',
      ],
      EMPTY_CHUNKED,
    ),
  ),
  ...each(
    'TE',
    'served',
    byLine(
      ['Transfer-Encoding: chunked', 'transfer-encoding: CHUNKED', 'Transfer-Encoding:chunked'],
      '5\r\nhello\r\n0\r\n\r\n',
    ),
    { bodies: ['hello'] },
  ),
  ...each(
    'TE',
    'either',
    byLine(
      ['Transfer-Encoding: chunked,', 'Transfer-Encoding: ,chunked', 'Transfer-Encoding: \t chunked \t'],
      '5\r\nhello\r\n0\r\n\r\n',
    ),
    {
      bodies: ['hello'],
    },
  ),
  ...each(
    'TE look-alikes are other headers',
    'served',
    byLine(
      ['Transfer_Encoding: chunked|Content-Length: 5', 'X-Transfer-Encoding: chunked|Content-Length: 5'],
      'hello',
    ),
    { bodies: ['hello'] },
  ),
];

const lengths: Case[] = [
  ...each(
    'CL',
    'refused',
    byLine(
      [
        'Content-Length: 5|Content-Length: 5',
        'Content-Length: 5|Content-Length: 6',
        'Content-Length: 0|Content-Length: 5',
        'Content-Length: 5|content-length: 0',
        'Content-Length: 5, 5',
        'Content-Length: 5, 6',
        'Content-Length: +5',
        'Content-Length: -5',
        'Content-Length: -0',
        'Content-Length: 0x5',
        'Content-Length: 5.0',
        'Content-Length: 5e0',
        'Content-Length: 5;',
        'Content-Length: 5 5',
        'Content-Length: 5x',
        'Content-Length: "5"',
        'Content-Length:',
        'Content-Length: 99999999999999999999',
        'Content-Length: 18446744073709551621',
        'Content-Length: 5\u0000',
        'Content-Length: \u00b2',
        'Content-Length : 5',
        'Content-Length\t: 5',
        'Content-Length:| 5',
        'Content-Length: 5| 5',
        'Content-Length\u00ff: 5',
      ],
      `hello${PREFIX}`,
    ),
  ),
  ...each('CL', 'served', byLine(['Content-Length: 5', 'content-length:5'], 'hello'), {
    bodies: ['hello'],
  }),
  ...each(
    'CL',
    'either',
    byLine(['Content-Length: \t5\t ', 'Content-Length: 05', 'Content-Length: 0000000000000005'], 'hello'),
    {
      bodies: ['hello'],
    },
  ),
];

const chunks: Case[] = [
  ...each('chunks', 'refused', {
    'hex overflow': chunked(`FFFFFFFFFFFFFFFFF\r\nhello\r\n${EMPTY_CHUNKED}`),
    'overflow to 5': chunked(`10000000000000005\r\nhello\r\n${EMPTY_CHUNKED}`),
    '0x': chunked(`0x5\r\nhello\r\n${EMPTY_CHUNKED}`),
    'a plus': chunked(`+5\r\nhello\r\n${EMPTY_CHUNKED}`),
    'a minus': chunked(`-5\r\nhello\r\n${EMPTY_CHUNKED}`),
    'a leading space': chunked(` 5\r\nhello\r\n${EMPTY_CHUNKED}`),
    'an underscore': chunked(`0_5\r\nhello\r\n${EMPTY_CHUNKED}`),
    'no size': chunked(`\r\nhello\r\n${EMPTY_CHUNKED}`),
    'no digit': chunked(`g\r\nhello\r\n${EMPTY_CHUNKED}`),
    'a NUL': chunked(`5\u0000\r\nhello\r\n${EMPTY_CHUNKED}`),
    'only an extension': chunked(`;a=b\r\nhello\r\n${EMPTY_CHUNKED}`),
    'bare LF after the size': chunked(`5\nhello\r\n${EMPTY_CHUNKED}`),
    'bare CR after the size': chunked(`5\rhello\r\n${EMPTY_CHUNKED}`),
    'bare LF after the extension': chunked(`5;a\nhello\r\n${EMPTY_CHUNKED}`),
    'bare LF in the extension': chunked(`5;\n\r\nhello\r\n${EMPTY_CHUNKED}`),
    'a CR in the extension': chunked(`5;a\rb\r\nhello\r\n${EMPTY_CHUNKED}`),
    'no CR LF after the data': chunked(`5\r\nhello${EMPTY_CHUNKED}`),
    'bare LF after the data': chunked(`5\r\nhello\n${EMPTY_CHUNKED}`),
    'data longer than its size': chunked(`5\r\nhello there\r\n${EMPTY_CHUNKED}`),
    'data shorter than its size': chunked(`8\r\nhello\r\n${EMPTY_CHUNKED}`),
    'bare LF after the last chunk': chunked(`0\n\n${PREFIX}`),
    'bare LF in a trailer': chunked(`0\r\nA: b\n\r\n${PREFIX}`),
    'a trailer without a colon': chunked(`0\r\nAbc\r\n\r\n${PREFIX}`),
    'a trailer with a space before the colon': chunked(`0\r\nA : b\r\n\r\n${PREFIX}`),
    'a folded trailer': chunked(`0\r\nA: b\r\n c\r\n\r\n${PREFIX}`),
    'a NUL in a trailer': chunked(`0\r\nA: \u0000\r\n\r\n${PREFIX}`),
    'endless trailers': chunked(`0\r\n${'A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n'.repeat(4_000)}`),
  }),
  ...each(
    'chunks',
    'served',
    {
      plain: chunked('2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n'),
      'upper and lower hex': chunked(`A\r\n${'a'.repeat(10)}\r\na\r\n${'b'.repeat(10)}\r\n0\r\n\r\n`),
      'an extension': chunked('5;a=b;c="d e"\r\nhello\r\n0;last\r\n\r\n'),
      'a trailer': chunked('5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n'),
    },
    {},
  ),
  ...each(
    'chunks',
    'either',
    {
      'leading zeros': chunked('0000000000000000000005\r\nhello\r\n000\r\n\r\n'),
      'a space after the size': chunked('5 \r\nhello\r\n0\r\n\r\n'),
      'framing as a trailer': chunked(
        '5\r\nhello\r\n0\r\nContent-Length: 50\r\nTransfer-Encoding: x\r\nHost: b\r\n\r\n',
      ),
    },
    { bodies: ['hello'] },
  ),
];

const bodiesNobodyExpects: Case[] = ['GET', 'DELETE', 'OPTIONS', 'HEAD', 'PROPFIND', 'SEARCH'].flatMap(
  (method) => [
    ...each(
      'CL.0',
      'either',
      {
        [`${method} with a length`]: post([`Content-Length: ${PREFIX.length}`], PREFIX).replace(
          'POST',
          method,
        ),
        [`${method} with chunks`]: chunked(`${PREFIX.length.toString(16)}\r\n${PREFIX}\r\n0\r\n\r\n`).replace(
          'POST',
          method,
        ),
      },
      { bodies: [PREFIX] },
    ),
  ],
);

/** How the body is framed. */
export const FRAMING_CASES: readonly Case[] = [
  ...lengthAndCoding,
  ...codings,
  ...lengths,
  ...chunks,
  ...bodiesNobodyExpects,
];
