/** 2^56: the trace id's last 14 digits are below it. */
const RANDOM_SPAN = 2 ** 56;
const RANDOM_DIGITS = 14;

/**
 * Whether a trace that begins here is recorded: its id decides, so that everyone
 * who knows the id and the share decides alike. OpenTelemetry's consistent
 * sampling: the last 56 bits, which W3C Trace Context (level 2) wants random, are
 * at or above what is left out.
 */
export function isSampled(traceId: string, share: number): boolean {
  if (share <= 0) return false;
  const random = Number.parseInt(traceId.slice(-RANDOM_DIGITS), 16);
  return random >= (1 - share) * RANDOM_SPAN;
}

/** What a valid `traceparent` says; ids and flags in hex, as they came. */
export interface TraceContext {
  readonly traceId: string;
  readonly parentId: string;
  readonly flags: string;
  readonly sampled: boolean;
}

/** Reads a `traceparent` that is known to be valid (W3C Trace Context, section 3.2). */
export function readTraceparent(valid: string): TraceContext {
  const flags = valid.slice(53, 55);
  return {
    traceId: valid.slice(3, 35),
    parentId: valid.slice(36, 52),
    flags,
    sampled: (Number.parseInt(flags, 16) & 1) === 1,
  };
}
