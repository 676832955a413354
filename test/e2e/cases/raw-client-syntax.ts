import { SMUGGLED } from '../../support/invariants.ts';
import { head } from '../../support/raw.ts';
import { type Case, chunked, each, PREFIX, post } from './raw-client.ts';

/** What hostile clients write around a body: lines, names, targets, versions, upgrades. */

const lineEnds: Case[] = [
  ...each('line ends', 'refused', {
    'bare LF after the request line': `GET /x HTTP/1.1\nHost: a\r\n\r\n${PREFIX}`,
    'bare LF everywhere': `GET /x HTTP/1.1\nHost: a\n\n${PREFIX}`,
    'bare LF after a header': `GET /x HTTP/1.1\r\nHost: a\nX: y\r\n\r\n${PREFIX}`,
    'bare LF before the empty line': `GET /x HTTP/1.1\r\nHost: a\n\r\n${PREFIX}`,
    'bare LF as the empty line': `GET /x HTTP/1.1\r\nHost: a\r\n\n${PREFIX}`,
    'bare CR in the request line': `GET /x\r HTTP/1.1\r\nHost: a\r\n\r\n${PREFIX}`,
    'bare CR after the request line': `GET /x HTTP/1.1\rHost: a\r\n\r\n${PREFIX}`,
    'bare CR in a value': `GET /x HTTP/1.1\r\nHost: a\r\nX: y\rz\r\n\r\n${PREFIX}`,
    'two CRs at the end of a value': `GET /x HTTP/1.1\r\nHost: a\r\nX: y\r\r\n\r\n${PREFIX}`,
    'CR in a name': `GET /x HTTP/1.1\r\nHost: a\r\nX\rY: z\r\n\r\n${PREFIX}`,
    'CR X for the empty line (CVE-2025-23167)': `GET /x HTTP/1.1\r\nHost: a\r\n\rX${PREFIX}`,
    'CR CR LF for the empty line': `GET /x HTTP/1.1\r\nHost: a\r\n\r\r\n${PREFIX}`,
    'obs-fold with a space': `GET /x HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n${PREFIX}`,
    'obs-fold with a tab': `GET /x HTTP/1.1\r\nHost: a\r\nX: y\r\n\tz\r\n\r\n${PREFIX}`,
    'obs-fold of the first header': `GET /x HTTP/1.1\r\n Host: a\r\n\r\n${PREFIX}`,
  }),
  ...each('line ends', 'either', {
    'an empty line before the request': `\r\n${head('GET /x HTTP/1.1')}`,
    'bare LF before the request': `\n${head('GET /x HTTP/1.1')}`,
  }),
];

const oddBytes: Case[] = [
  ...each('odd bytes', 'refused', {
    'NUL in the target': head('GET /x\u0000y HTTP/1.1') + PREFIX,
    'NUL in a name': head('GET /x HTTP/1.1', 'X\u0000: y') + PREFIX,
    'NUL in a value': head('GET /x HTTP/1.1', 'X: y\u0000z') + PREFIX,
    'NUL in the method': head('GE\u0000T /x HTTP/1.1') + PREFIX,
    'a control byte in a value': head('GET /x HTTP/1.1', 'X: y\u0001z') + PREFIX,
    'a bell in the target': head('GET /x\u0007y HTTP/1.1') + PREFIX,
    'DEL in a value': head('GET /x HTTP/1.1', 'X: y\u007fz') + PREFIX,
    'a high byte in a name': head('GET /x HTTP/1.1', 'X\u00e9: y') + PREFIX,
    'a high byte in the target': head('GET /\u00e9 HTTP/1.1') + PREFIX,
    'a tab in the target': head('GET /x\ty HTTP/1.1') + PREFIX,
    'a vertical tab before the version': head('GET /x\u000bHTTP/1.1') + PREFIX,
    noise: `\u0080\u0081\u0082\u0083\r\n\r\n${PREFIX}`,
    'a TLS hello': `\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003${PREFIX}`,
    'an HTTP/2 preface': `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${PREFIX}`,
    'a PROXY line': `PROXY TCP4 6.6.6.6 127.0.0.1 1 2\r\n${PREFIX}`,
  }),
  ...each('odd bytes', 'served', { 'a high byte in a value': head('GET /x HTTP/1.1', 'X: \u00e9\u00ff') }),
];

const headers: Case[] = [
  ...each('header syntax', 'refused', {
    'a space before the colon': head('GET /x HTTP/1.1', 'X : y') + PREFIX,
    'a tab before the colon': head('GET /x HTTP/1.1', 'X\t: y') + PREFIX,
    'a space in the name': head('GET /x HTTP/1.1', 'X Y: z') + PREFIX,
    'no name': head('GET /x HTTP/1.1', ': y') + PREFIX,
    'no colon': head('GET /x HTTP/1.1', 'Xyz') + PREFIX,
    'brackets in the name': head('GET /x HTTP/1.1', 'X(y): z') + PREFIX,
    'a leading colon': head('GET /x HTTP/1.1', ':authority: decoy.example') + PREFIX,
    'a leading space': `GET /x HTTP/1.1\r\nHost: a\r\n X: y\r\n\r\n${PREFIX}`,
    'the name of a Host with a space': 'GET /x HTTP/1.1\r\nHost: a\r\nHost : decoy.example\r\n\r\n',
  }),
  ...each(
    'Host',
    'refused',
    {
      none: 'GET /x HTTP/1.1\r\nX: y\r\n\r\n',
      'two that differ': head('GET /x HTTP/1.1', 'Host: test.example', 'Host: decoy.example'),
      'a list': head('GET /x HTTP/1.1', 'Host: test.example, decoy.example'),
      userinfo: head('GET /x HTTP/1.1', 'Host: test.example@decoy.example'),
      'a path': head('GET /x HTTP/1.1', 'Host: decoy.example/x'),
      'in absolute form with two Hosts': head('GET http://test.example/x HTTP/1.1', 'Host: a', 'Host: b'),
      'in absolute form with a bad Host': head('GET http://test.example/x HTTP/1.1', 'Host: a/b'),
      'in absolute form without one': 'GET http://test.example/x HTTP/1.1\r\n\r\n',
    },
    { mayStay: true },
  ),
  ...each('headers that name another place', 'served', {
    'X-Forwarded-Host': head('GET /x HTTP/1.1', 'X-Forwarded-Host: decoy.example'),
    Forwarded: head('GET /x HTTP/1.1', 'Forwarded: host=decoy.example'),
    'X-Original-URL': head('GET /x HTTP/1.1', `X-Original-URL: ${SMUGGLED}`),
    'X-Rewrite-URL': head('GET /x HTTP/1.1', `X-Rewrite-URL: ${SMUGGLED}`),
    'X-HTTP-Method-Override': head('GET /x HTTP/1.1', 'X-HTTP-Method-Override: CONNECT'),
    'Host nominated away': head('GET /x HTTP/1.1', 'Connection: Host, X-Forwarded-Host'),
  }),
];

const requestLines: Case[] = [
  ...each('request line', 'refused', {
    'a space behind the version': head('GET /x HTTP/1.1 ') + PREFIX,
    'a space in the target': head('GET /x y HTTP/1.1') + PREFIX,
    'a tab for a space': head('GET\t/x\tHTTP/1.1') + PREFIX,
    'a space before the method': head(' GET /x HTTP/1.1') + PREFIX,
    'no version': head('GET /x') + PREFIX,
    'no target': head('GET HTTP/1.1') + PREFIX,
    'nothing but a version': head('HTTP/1.1 200 OK') + PREFIX,
    'HTTP/2.0': head('GET /x HTTP/2.0') + PREFIX,
    'HTTP/1.2': head('GET /x HTTP/1.2') + PREFIX,
    'HTTP/1.1x': head('GET /x HTTP/1.1x') + PREFIX,
    'HTTP/ 1.1': head('GET /x HTTP/ 1.1') + PREFIX,
    'a method in brackets': head('G(ET /x HTTP/1.1') + PREFIX,
    'a method that nobody knows': head('FOO /x HTTP/1.1') + PREFIX,
  }),
  ...each(
    'target',
    'refused',
    {
      'authority form': head('GET decoy.example:80 HTTP/1.1'),
      'asterisk form': head('GET * HTTP/1.1'),
      'no slash': head('GET x HTTP/1.1'),
      'another scheme': head('GET ftp://decoy.example/x HTTP/1.1'),
      'absolute form without a host': head('GET http:///x HTTP/1.1'),
      'absolute form with userinfo': head('GET http://test.example@decoy.example/ HTTP/1.1'),
      'a fragment': head('GET /x#y HTTP/1.1'),
      'a backslash': head('GET /x\\..\\y HTTP/1.1'),
      'a broken escape': head('GET /%zz HTTP/1.1'),
      'an escaped NUL': head('GET /%00 HTTP/1.1'),
      'above the root': head('GET /../x HTTP/1.1'),
      CONNECT: head('CONNECT decoy.example:80 HTTP/1.1'),
      TRACE: head('TRACE /x HTTP/1.1'),
    },
    { mayStay: true },
  ),
  ...each('target', 'served', {
    'absolute form': head('GET http://test.example/x HTTP/1.1', 'Host: decoy.example'),
    'two slashes': head('GET //decoy.example/x HTTP/1.1'),
  }),
  ...each('request line', 'refused', {
    'longer than the limit': head(`GET /${'a'.repeat(40_000)} HTTP/1.1`),
  }),
];

const looseLines: Case[] = each('request line', 'either', {
  // RFC 9112 section 3 lets a recipient split at any whitespace; the upstream gets one space.
  'two spaces before the target': head('GET  /x HTTP/1.1'),
  'two spaces before the version': head('GET /x  HTTP/1.1'),
});

/** What follows a request that ends its connection is no request any more (RFC 9112 section 9.6). */
const afterTheEnd: Case[] = each('after the end', 'served', {
  'Connection: close': head('GET /x HTTP/1.1', 'Connection: close') + PREFIX,
  'HTTP/1.0': head('GET /x HTTP/1.0') + PREFIX,
  'a body and Connection: close': post(['Connection: close', 'Content-Length: 2'], `hi${PREFIX}`),
});

const upgrades: Case[] = [
  ...each('Upgrade', 'either', {
    h2c: head(
      'GET /x HTTP/1.1',
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
    ),
    'h2c without Connection': head('GET /x HTTP/1.1', 'Upgrade: h2c'),
    'WebSocket without Connection': head(
      'GET /x HTTP/1.1',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
    ),
    'WebSocket without a key': head(
      'GET /x HTTP/1.1',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
    ),
    'WebSocket of version 777': head(
      'GET /x HTTP/1.1',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 777',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ),
  }),
];

const sound: Case[] = each('sound', 'served', {
  'byte by byte': [...post(['Content-Length: 5'], 'hello')],
  'cut inside CR LF': ['GET /x HTTP/1.1\r', '\nHost: a\r\n\r', '\n'],
  'two in one piece': head('GET /x HTTP/1.1') + post(['Content-Length: 2'], 'hi'),
  'three, the bodies chunked': chunked('1\r\na\r\n0\r\n\r\n').repeat(3),
});

/** How lines, names, targets and versions are written. */
export const SYNTAX_CASES: readonly Case[] = [
  ...lineEnds,
  ...oddBytes,
  ...headers,
  ...requestLines,
  ...looseLines,
  ...afterTheEnd,
  ...upgrades,
  ...sound,
];
