import type { Service, Split } from '../core/model.ts';
import type { Config } from './compile.ts';

/**
 * The Split that follows another one. A service that is what it was keeps its
 * stage, so what was counted for it goes on counting; one that changed begins a
 * new stage. A renewed certificate, another secret of prediction ids or the
 * header that shows the version changes nobody's answers and begins none.
 */
export function carryStages(previous: Split | null, next: Config['split']): Split {
  const before = new Map((previous?.services ?? []).map((service) => [service.name, service]));
  const services = next.services.map((service) => {
    const old = before.get(service.name);
    if (old === undefined) return { ...service, stage: 0 };
    const same = isSamePlain(essence(old), essence(service));
    return { ...service, stage: same ? old.stage : old.stage + 1 };
  });
  return { ...next, revision: (previous?.revision ?? 0) + 1, services };
}

/** What the evidence of a stage rests on. */
function essence(service: Service): unknown {
  const { stage: _stage, exposeVersion: _exposeVersion, versions, judged, ...rest } = service;
  return {
    ...rest,
    judged: judged === null ? null : { ...judged, predictionSecret: judged.predictionSecret !== null },
    versions: versions.map(({ name, definition, upstream }) => {
      const { tls } = upstream;
      const kept = tls === null ? null : { serverName: tls.serverName, verify: tls.verify };
      return { name, definition, upstream: { ...upstream, tls: kept } };
    }),
  };
}

/** Equality of plain data. */
function isSamePlain(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every(
    (key) =>
      Object.hasOwn(b, key) &&
      isSamePlain((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
  );
}
