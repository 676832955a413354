import type { Path } from '../issue.ts';
import type { RawConfig } from '../schema.ts';
import { mergeUpstream } from '../upstream.ts';
import { isMapping, type Report } from '../validate/report.ts';

/** A file that the config names, and where it does. */
export interface FileRef {
  readonly path: Path;
  readonly kind: PemKind | 'token';
  /** As written; relative to the config file. */
  readonly file: string;
}

export type PemKind = 'ca' | 'cert' | 'key';
export type FileContent =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: string };
export type Files = ReadonlyMap<string, FileContent>;

/** Looks into PEM texts; null when they are sound. Provided by the shell, which has the cryptography. */
export interface PemInspector {
  /** What is wrong with one text. */
  flaw(kind: PemKind, text: string): string | null;
  /** Whether certificate and key belong together. */
  isPair(cert: string, key: string): boolean;
}

interface Place {
  readonly path: Path;
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

/** Every file that the sound parts of a config name. */
export function fileRefs(raw: RawConfig, report: Report): FileRef[] {
  const pem = places(raw, report).flatMap(({ path, tls }) =>
    (['ca', 'cert', 'key'] as const).flatMap((kind) => {
      const file = tls[kind];
      return file === undefined ? [] : [{ path: [...path, kind], kind, file }];
    }),
  );
  return [...pem, ...tokenRefs(raw, report)];
}

/** Tokens are read for every query; here they are only looked for. */
function tokenRefs(raw: RawConfig, report: Report): FileRef[] {
  if (!isMapping(raw.analysisTemplates)) return [];
  return Object.entries(raw.analysisTemplates ?? {}).flatMap(([name, template]) => {
    if (!report.isSound(['analysisTemplates', name])) return [];
    const at = ['analysisTemplates', name, 'metrics'];
    return (template.metrics ?? []).flatMap(({ provider }, i) => {
      const file = provider.prometheus?.bearerTokenFile;
      const path = [...at, i, 'provider', 'prometheus', 'bearerTokenFile'];
      return file === undefined ? [] : [{ path, kind: 'token' as const, file }];
    });
  });
}

function places(raw: RawConfig, report: Report): Place[] {
  const found: Place[] = [];
  if (raw.tls !== undefined && report.isSound(['tls'])) found.push({ path: ['tls'], tls: raw.tls });
  for (const [name, service] of Object.entries(raw.services)) {
    const shared = ['services', name, 'upstream', 'tls'];
    if (service?.upstream?.tls !== undefined && report.isSound(shared)) {
      found.push({ path: shared, tls: service.upstream.tls });
    }
    for (const [version, own] of Object.entries(service?.versions ?? {})) {
      const path = ['services', name, 'versions', version, 'tls'];
      if (own?.tls !== undefined && report.isSound(path)) found.push({ path, tls: own.tls });
    }
  }
  return found;
}

/** Checks that the files could be read, hold what they should, and that certificates fit their keys. */
export function checkFiles(
  raw: RawConfig,
  refs: readonly FileRef[],
  files: Files,
  pem: PemInspector,
  report: Report,
): void {
  for (const { path, kind, file } of refs) {
    const content = files.get(file);
    if (content === undefined || !content.ok) {
      const reason = content === undefined ? 'was not read' : content.reason;
      report.error(
        path,
        `cannot be read: ${reason}`,
        'correct the path (relative to this file) or its permissions',
      );
      continue;
    }
    if (kind === 'token') {
      if (content.text.trim() === '') report.error(path, 'holds no token', 'write the token into the file');
      continue;
    }
    const flaw = pem.flaw(kind, content.text);
    if (flaw !== null) report.error(path, flaw, `name a PEM file that holds ${PEM_CONTENTS[kind]}`);
  }
  for (const { path, tls } of effectivePairs(raw, report)) {
    const cert = textOf(files, tls.cert);
    const key = textOf(files, tls.key);
    if (cert === null || key === null || !report.isSound(path)) continue;
    if (!pem.isPair(cert, key)) {
      report.error(
        [...path, 'key'],
        'does not belong to the certificate',
        'name the key that the certificate was made for',
      );
    }
  }
}

const PEM_CONTENTS: Readonly<Record<PemKind, string>> = {
  ca: 'certificates of authorities',
  cert: 'a certificate',
  key: 'a private key without a passphrase',
};

/** Certificates with their keys, as they come together after a version's settings lie over its service's. */
function effectivePairs(raw: RawConfig, report: Report): Place[] {
  const found = places(raw, report).filter(({ path }) => path.length === 1);
  for (const [name, service] of Object.entries(raw.services)) {
    if (!report.isSound(['services', name])) continue;
    for (const [version, own] of Object.entries(service.versions)) {
      const { tls } = mergeUpstream(service.upstream ?? {}, own);
      const path = own.tls === undefined ? ['upstream', 'tls'] : ['versions', version, 'tls'];
      if (tls !== undefined) found.push({ path: ['services', name, ...path], tls });
    }
  }
  return found;
}

function textOf(files: Files, file: string | undefined): string | null {
  const content = file === undefined ? undefined : files.get(file);
  return content?.ok === true ? content.text : null;
}
