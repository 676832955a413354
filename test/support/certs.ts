import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Test } from 'tap';

/** Throw-away certificates, made by the openssl program in a temporary folder. */

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  /** The authority's own certificate, PEM. */
  readonly ca: string;
  /** A certificate for these names (`DNS:api.test`, `IP:127.0.0.1`). */
  issue(commonName: string, ...names: readonly string[]): Pair;
}

export function makeAuthority(t: Test): Authority {
  const folder = mkdtempSync(path.join(tmpdir(), 'coalmine-certs-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string) => path.join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
  );
  let serial = 0;
  return {
    ca: readFileSync(at('ca.crt'), 'utf8'),
    issue(commonName, ...names) {
      const name = `leaf${++serial}`;
      openssl(
        'req',
        ...newKey,
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.csr`,
        '-subj',
        `/CN=${commonName}`,
      );
      writeFileSync(
        at(`${name}.ext`),
        `subjectAltName=${names.length > 0 ? names.join(',') : `DNS:${commonName}`}\n`,
      );
      const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-set_serial', String(serial), '-days', '2'];
      openssl(
        'x509',
        '-req',
        '-in',
        `${name}.csr`,
        ...signing,
        '-extfile',
        `${name}.ext`,
        '-out',
        `${name}.crt`,
      );
      return { cert: readFileSync(at(`${name}.crt`), 'utf8'), key: readFileSync(at(`${name}.key`), 'utf8') };
    },
  };
}
