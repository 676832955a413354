import type tls from 'node:tls';
import t, { type Test } from 'tap';
import type { UpstreamTls } from '../../src/core/model.ts';
import { makeAuthority } from '../support/certs.ts';
import { jsonOf, serve } from '../support/gateway.ts';
import { startOrigin } from '../support/origin.ts';
import { requireTool } from '../support/requireTool.ts';
import { single } from '../support/split.ts';

/** Plain stack: a self-signed certificate for another name passed as the upstream's. */

const NOTHING: UpstreamTls = { ca: null, cert: null, key: null, serverName: null, verify: true };

async function ask(t: Test, server: tls.TlsOptions, settings: UpstreamTls | null) {
  const origin = await startOrigin(t, undefined, { tls: server });
  const gateway = await serve(t, single(origin.url, { upstream: { tls: settings } }));
  const got = await gateway.get('/x');
  return { origin, got };
}

t.test('upstream certificates', requireTool('openssl', ['version']), async (t) => {
  const authority = makeAuthority(t);
  const { ca } = authority;
  const right = authority.issue('127.0.0.1', 'IP:127.0.0.1');
  const named = authority.issue('model.test', 'DNS:model.test');

  const refused: [why: string, server: tls.TlsOptions, settings: UpstreamTls | null][] = [
    ['an unknown authority, nothing configured', right, null],
    ['an unknown authority, empty settings', right, NOTHING],
    ['a name that is not the one dialled', named, { ...NOTHING, ca }],
    ['a name other than serverName', named, { ...NOTHING, ca, serverName: 'other.test' }],
    ['a missing client certificate', { ...right, requestCert: true, ca }, { ...NOTHING, ca }],
  ];
  for (const [why, server, settings] of refused) {
    t.test(`refused: ${why}`, async (t) => {
      const { origin, got } = await ask(t, { rejectUnauthorized: true, ...server }, settings);
      t.equal(got.status, 502);
      t.equal(origin.requests.length, 0, 'not a byte of the request was sent');
      t.notMatch(JSON.stringify(jsonOf(got)), /127\.0\.0\.1|certificate/, 'the client learns no address');
    });
  }

  const accepted: [why: string, server: tls.TlsOptions, settings: UpstreamTls][] = [
    ['the configured authority and the dialled address', right, { ...NOTHING, ca }],
    ['serverName is what is verified and sent as SNI', named, { ...NOTHING, ca, serverName: 'model.test' }],
    [
      'a client certificate',
      { ...right, requestCert: true, ca },
      { ...NOTHING, ca, ...authority.issue('gateway') },
    ],
    ['verify: false, as asked for', named, { ...NOTHING, verify: false }],
  ];
  for (const [why, server, settings] of accepted) {
    t.test(`accepted: ${why}`, async (t) => {
      const { origin, got } = await ask(t, { rejectUnauthorized: true, ...server }, settings);
      t.equal(got.status, 200);
      t.equal(origin.requests.length, 1);
      const socket = origin.connections[0]?.socket as (tls.TLSSocket & { servername?: string }) | undefined;
      if (settings.serverName !== null) t.equal(socket?.servername, settings.serverName);
    });
  }
});
