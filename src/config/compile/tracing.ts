import type { TracingSettings } from '../../core/trace/span.ts';
import { DEFAULTS } from '../defaults.ts';
import { readAnyPercentText } from '../forms/quantities.ts';
import { taken } from '../forms/reading.ts';
import { msOf } from '../quantity.ts';
import type { RawTracing } from '../schema.ts';
import { headersOf } from './filler.ts';

const base = DEFAULTS.tracing;

export function compileTracing(raw: RawTracing | undefined): TracingSettings | null {
  if (raw === undefined) return null;
  return {
    endpoint: raw.endpoint,
    share: taken(readAnyPercentText(raw.sample ?? base.sample)),
    perSecond: raw.perSecond ?? base.perSecond,
    serviceName: raw.serviceName ?? base.serviceName,
    headers: headersOf(raw.headers),
    timeoutMs: msOf(raw.timeout ?? base.timeout),
  };
}
