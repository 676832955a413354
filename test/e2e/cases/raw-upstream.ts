import { answer, chunk } from '../../support/origin.ts';

/** What hostile upstreams answer, and what may become of it. */

export type End = 'open' | 'end' | 'reset';
/** `whole`: the answer itself; `refused`: a 502 of the gateway; `cut`: broken off, and seen to be. */
export type Outcome = 'whole' | 'refused' | 'cut';

export interface Case {
  readonly name: string;
  readonly bytes: string | readonly string[];
  readonly allowed: readonly Outcome[];
  readonly end?: End;
  readonly method?: string;
  /** The connection spoke out of turn: it must not serve another request. */
  readonly dropped?: boolean;
  /** What a `whole` answer must be. */
  readonly status?: number;
  readonly body?: string;
}

const BAD: readonly Outcome[] = ['refused', 'cut'];
const POISON = answer(200, 'poison');
export const ok = (lines: string, body = '') => `HTTP/1.1 200 OK\r\n${lines}\r\n\r\n${body}`;
export const chunkedOk = (body: string) => ok('Transfer-Encoding: chunked', body);
const CHUNKED_HELLO = `${chunk('hello')}0\r\n\r\n`;

function each(
  group: string,
  allowed: readonly Outcome[],
  answers: Record<string, string | readonly string[]>,
  more: Partial<Case> = {},
): Case[] {
  return Object.entries(answers).map(([name, bytes]) => ({
    name: `${group}: ${name}`,
    bytes,
    allowed,
    ...more,
  }));
}

const framing: Case[] = [
  ...each(
    'framing',
    [...BAD, 'whole'],
    {
      'CL+TE': ok('Content-Length: 4\r\nTransfer-Encoding: chunked', CHUNKED_HELLO),
      'TE+CL': ok('Transfer-Encoding: chunked\r\nContent-Length: 4', CHUNKED_HELLO),
      'two equal lengths': ok('Content-Length: 5\r\nContent-Length: 5', 'hello'),
      'a list of equal lengths': ok('Content-Length: 5, 5', 'hello'),
      'leading zeros': ok('Content-Length: 005', 'hello'),
      'chunked twice': ok('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', CHUNKED_HELLO),
    },
    { body: 'hello' },
  ),
  ...each(
    'framing',
    BAD,
    {
      'two lengths': ok('Content-Length: 5\r\nContent-Length: 6', 'hello'),
      'a list of lengths': ok('Content-Length: 5, 6', 'hello'),
      'a plus': ok('Content-Length: +5', 'hello'),
      'a minus': ok('Content-Length: -5', 'hello'),
      hex: ok('Content-Length: 0x5', 'hello'),
      'a length with a space before the colon': ok('Content-Length : 5', 'hello'),
      'an overflow': ok('Content-Length: 99999999999999999999', 'hello'),
      'an empty length': ok('Content-Length:', 'hello'),
      'no number': ok('Content-Length: five', 'hello'),
      'gzip, chunked': ok('Transfer-Encoding: gzip, chunked', CHUNKED_HELLO),
      'chunked, gzip': ok('Transfer-Encoding: chunked, gzip', CHUNKED_HELLO),
      'chunked, chunked': ok('Transfer-Encoding: chunked, chunked', CHUNKED_HELLO),
      'chunked, identity': ok('Transfer-Encoding: chunked, identity', CHUNKED_HELLO),
      xchunked: ok('Transfer-Encoding: xchunked', CHUNKED_HELLO),
      'a coding with a space before the colon': ok('Transfer-Encoding : chunked', CHUNKED_HELLO),
      'a folded coding': ok('Transfer-Encoding:\r\n chunked', CHUNKED_HELLO),
      'a NUL in the coding': ok('Transfer-Encoding: chunked\u0000', CHUNKED_HELLO),
    },
    { end: 'end' },
  ),
];

const chunks: Case[] = [
  ...each(
    'chunks',
    BAD,
    {
      'hex overflow': chunkedOk('FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n'),
      '0x': chunkedOk('0x5\r\nhello\r\n0\r\n\r\n'),
      'a minus': chunkedOk('-5\r\nhello\r\n0\r\n\r\n'),
      'no size': chunkedOk('\r\nhello\r\n0\r\n\r\n'),
      'no digit': chunkedOk('five\r\nhello\r\n0\r\n\r\n'),
      'bare LF after the size': chunkedOk('5\nhello\r\n0\r\n\r\n'),
      'bare LF after the data': chunkedOk('5\r\nhello\n0\r\n\r\n'),
      'no CR LF after the data': chunkedOk('5\r\nhello0\r\n\r\n'),
      'too much data': chunkedOk('5\r\nhello there\r\n0\r\n\r\n'),
      'too little data': chunkedOk('9\r\nhello\r\n0\r\n\r\n'),
      'bare LF at the end': chunkedOk('5\r\nhello\r\n0\n\n'),
      'a bad trailer': chunkedOk('5\r\nhello\r\n0\r\nno colon\r\n\r\n'),
      'a good chunk, then noise': chunkedOk(`${chunk('hello')}\u0000\u0001\u0002`),
    },
    { end: 'end' },
  ),
  ...each(
    'chunks',
    [...BAD, 'whole'],
    {
      'framing as a trailer': chunkedOk(
        '5\r\nhello\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\n\r\n',
      ),
    },
    { body: 'hello' },
  ),
  ...each(
    'chunks',
    ['whole'],
    {
      plain: chunkedOk(CHUNKED_HELLO),
      'an extension': chunkedOk('5;a=b\r\nhello\r\n0;c\r\n\r\n'),
      'a trailer': chunkedOk('5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n'),
      'byte by byte': [...chunkedOk(CHUNKED_HELLO)],
    },
    { body: 'hello' },
  ),
];

const heads: Case[] = [
  ...each(
    'head',
    BAD,
    {
      'another protocol': 'ICY 200 OK\r\n\r\nhello',
      'HTTP/2': 'HTTP/2 200 OK\r\nContent-Length: 5\r\n\r\nhello',
      'no status': 'HTTP/1.1\r\n\r\n',
      'a status of two digits': 'HTTP/1.1 20 OK\r\nContent-Length: 5\r\n\r\nhello',
      'a status of four digits': 'HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\nhello',
      'status 0': 'HTTP/1.1 000 No\r\nContent-Length: 5\r\n\r\nhello',
      'a status in letters': 'HTTP/1.1 OK 200\r\nContent-Length: 5\r\n\r\nhello',
      noise: '\u0080\u0081\u0082\u0083\u0000\r\n\r\n',
      'a request': 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n',
      'a TLS alert': '\u0015\u0003\u0003\u0000\u0002\u0002\u0046',
      'bare LF after the status line': 'HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello',
      'bare LF after a header': 'HTTP/1.1 200 OK\r\nContent-Length: 5\nX: y\r\n\r\nhello',
      'bare CR in a value': ok('X: y\rz\r\nContent-Length: 5', 'hello'),
      'a folded header': ok('X: y\r\n z\r\nContent-Length: 5', 'hello'),
      'NUL in a value': ok('X: y\u0000z\r\nContent-Length: 5', 'hello'),
      'NUL in a name': ok('X\u0000Y: z\r\nContent-Length: 5', 'hello'),
      'a control byte in a value': ok('X: y\u0001z\r\nContent-Length: 5', 'hello'),
      'a space before the colon': ok('X : y\r\nContent-Length: 5', 'hello'),
      'a high byte in a name': ok('X\u00e9: y\r\nContent-Length: 5', 'hello'),
      'no colon': ok('Xyz\r\nContent-Length: 5', 'hello'),
      'no name': ok(': y\r\nContent-Length: 5', 'hello'),
      'a value of 1 MiB': ok(`X: ${'a'.repeat(1 << 20)}\r\nContent-Length: 5`, 'hello'),
      'a head without an end': `HTTP/1.1 200 OK\r\n${'X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(10_000)}`,
      nothing: '',
    },
    { end: 'end' },
  ),
  // What cannot be said again to the client in the same words must not be half said.
  ...each(
    'head',
    [...BAD, 'whole'],
    {
      'a control byte in the reason': 'HTTP/1.1 200 O\u0001K\r\nContent-Length: 5\r\n\r\nhello',
      'a high byte in the reason': 'HTTP/1.1 200 \u00e9t\u00e9\r\nContent-Length: 5\r\n\r\nhello',
      'HTTP/1.0': 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello',
      'DEL in a value': ok('X: y\u007fz\r\nContent-Length: 5', 'hello'),
      'a very long reason': `HTTP/1.1 200 ${'a'.repeat(10_000)}\r\nContent-Length: 5\r\n\r\nhello`,
    },
    { body: 'hello' },
  ),
  ...each('head', [...BAD, 'whole'], {
    'status 600': 'HTTP/1.1 600 Odd\r\nContent-Length: 5\r\n\r\nhello',
    'status 999': 'HTTP/1.1 999 Odd\r\nContent-Length: 5\r\n\r\nhello',
  }),
  ...each(
    'head',
    ['whole'],
    {
      'no reason': 'HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello',
      'a high byte in a value': ok('X: \u00e9\r\nContent-Length: 5', 'hello'),
      'hundreds of headers': ok(`${'X: y\r\n'.repeat(500)}Content-Length: 5`, 'hello'),
      'cut anywhere': [...ok('Content-Length: 5', 'hello')],
      'gzip that is none': ok('Content-Encoding: gzip\r\nContent-Length: 5', 'hello'),
    },
    { body: 'hello' },
  ),
];

const bodiless: Case[] = [
  ...each(
    'no body allowed',
    ['whole', ...BAD],
    {
      '204 with a length': `HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nhello`,
      '204 with chunks': `HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED_HELLO}`,
      '204 with an answer behind it': `HTTP/1.1 204 No\r\n\r\n${POISON}`,
      '204 with a length that is an answer': `HTTP/1.1 204 No\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`,
    },
    { status: 204, body: '' },
  ),
  ...each(
    'no body allowed',
    ['whole', ...BAD],
    {
      '304 with a length': `HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\n`,
      '304 with a body': `HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\nhello`,
      '304 with an answer behind it': `HTTP/1.1 304 Not\r\n\r\n${POISON}`,
    },
    { status: 304, body: '' },
  ),
  ...each(
    'HEAD',
    ['whole', ...BAD],
    {
      'with a length': ok('Content-Length: 5'),
      'with a body all the same': ok('Content-Length: 5', 'hello'),
      'with chunks announced': ok('Transfer-Encoding: chunked'),
      'with chunks all the same': chunkedOk(CHUNKED_HELLO),
      'with an answer for a body': ok(`Content-Length: ${POISON.length}`, POISON),
    },
    { method: 'HEAD', body: '' },
  ),
];

const informational: Case[] = [
  ...each(
    '1xx',
    BAD,
    {
      '101 that nobody asked for':
        'HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      '101 and an answer': `HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n${POISON}`,
      '100 and the end': 'HTTP/1.1 100 Continue\r\n\r\n',
      '103 and the end': 'HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n',
    },
    { end: 'end' },
  ),
  ...each(
    '1xx',
    ['whole', ...BAD],
    {
      '100 with a length': `HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n${answer(200, 'hello')}`,
      '199': `HTTP/1.1 199 Odd\r\n\r\n${answer(200, 'hello')}`,
      'a hundred of 103': `${'HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n'.repeat(100)}${answer(200, 'hello')}`,
      '103 with a broken link': `HTTP/1.1 103 Early\r\nLink: \u00e9 nonsense\r\n\r\n${answer(200, 'hello')}`,
    },
    { body: 'hello' },
  ),
];

const ends: Case[] = [
  ...each(
    'too short',
    BAD,
    { length: ok('Content-Length: 10', 'hello'), chunks: chunkedOk(chunk('hello')) },
    { end: 'end' },
  ),
  ...each(
    'too short, reset',
    BAD,
    { length: ok('Content-Length: 10', 'hello'), chunks: chunkedOk(chunk('hello')) },
    { end: 'reset' },
  ),
  ...each('reset', BAD, { 'at once': '', 'inside the head': 'HTTP/1.1 200 O' }, { end: 'reset' }),
  // Delimited by the close alone, nobody can tell a cut body from a whole one (RFC 9112 section 8).
  ...each('reset', [...BAD, 'whole'], { 'until-close body': ok('X: y', 'hello') }, { end: 'reset' }),
  ...each(
    'end',
    ['whole'],
    { 'until-close body': ok('X: y', 'hello'), 'HTTP/1.0 until-close': 'HTTP/1.0 200 OK\r\n\r\nhello' },
    { end: 'end', body: 'hello' },
  ),
  ...each(
    'too long',
    ['whole', ...BAD],
    {
      'more than its length': ok('Content-Length: 5', 'hello there'),
      'an answer behind its length': ok('Content-Length: 5', `hello${POISON}`),
      'an answer behind its chunks': chunkedOk(CHUNKED_HELLO + POISON),
      'a late answer': [ok('Content-Length: 5', 'hello'), POISON],
      'two answers': answer(200, 'hello') + POISON,
      'Connection: close, and more': ok('Content-Length: 5\r\nConnection: close', `hello${POISON}`),
    },
    { body: 'hello', dropped: true },
  ),
];

export const RAW_UPSTREAM_CASES: readonly Case[] = [
  ...framing,
  ...chunks,
  ...heads,
  ...bodiless,
  ...informational,
  ...ends,
];
