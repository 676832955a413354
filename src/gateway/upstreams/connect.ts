import { isIP, type Socket } from 'node:net';
import type { SecureVersion } from 'node:tls';
import { buildConnector } from 'undici';
import type { UpstreamTls } from '../../core/model.ts';
import { dropContinue } from './interim.ts';

/** TLS options towards a model service. Certificates are verified unless the config says otherwise. */
export function tlsOptions(tls: UpstreamTls | null) {
  return {
    rejectUnauthorized: tls?.verify ?? true,
    minVersion: 'TLSv1.2' as SecureVersion,
    ...(tls?.ca ? { ca: tls.ca } : {}),
    ...(tls?.cert ? { cert: tls.cert } : {}),
    ...(tls?.key ? { key: tls.key } : {}),
    ...(tls?.serverName ? { servername: tls.serverName } : {}),
  };
}

export function makeConnector(tls: UpstreamTls | null, timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({ ...tlsOptions(tls), allowH2: false, timeout: timeoutMs, keepAlive: true });
  return (options, callback) => {
    connect(
      { ...options, servername: verifiedName(tls, options.hostname) },
      (...result: buildConnector.CallbackArgs) => {
        const [error, socket] = result;
        if (error === null && socket !== null) {
          (socket as Socket).setNoDelay(true);
          dropContinue(socket as Socket);
        }
        callback(...result);
      },
    );
  };
}

/**
 * The name that an upstream's certificate must carry, whatever Host the client
 * sent; '' for an address, which is verified as such and not sent as SNI (RFC 6066
 * section 3).
 */
export function verifiedName(tls: UpstreamTls | null, hostname: string): string {
  const name = tls?.serverName ?? hostname;
  return isIP(name.replace(/^\[|\]$/g, '')) === 0 ? name : '';
}
