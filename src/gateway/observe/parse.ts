import { compareObserved, comparePair, type PairOutcome } from '../../core/observe/compare.ts';
import { extract, extractStream, type Timing } from '../../core/observe/extract.ts';
import type { Observation, ObserveSpec, PairSpec } from '../../core/observe/spec.ts';
import type { Decoded } from './decode.ts';

/** A body as far as its media type tells how to read it. */
export type Parsed =
  | { readonly kind: 'json'; readonly value: unknown }
  /** Server-sent events. */
  | { readonly kind: 'stream'; readonly text: string }
  /** Neither. */
  | { readonly kind: 'nonsense' }
  /** Of a content coding that was not undone. */
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'too_large' };

/** @param type the Content-Type, lower case; whatever is no event stream is tried as JSON */
export function parse(decoded: Decoded, type: string): Parsed {
  if (decoded.kind !== 'bytes') return { kind: decoded.kind };
  const text = decoded.bytes.toString('utf8');
  if (type.startsWith('text/event-stream')) return { kind: 'stream', text };
  try {
    return { kind: 'json', value: JSON.parse(text) };
  } catch {
    return { kind: 'nonsense' };
  }
}

/** [] where nothing of what is looked for was found. */
export function observationsIn(
  spec: ObserveSpec,
  parsed: Parsed,
  timing: Timing | null,
): readonly Observation[] {
  switch (parsed.kind) {
    case 'json':
      return extract(spec, parsed.value, timing);
    case 'stream':
      return extractStream(spec, parsed.text, timing);
    default:
      return [];
  }
}

/** What is made of a pair of answers; a shadow's nonsense agrees with nothing that the client was told. */
export function compareParsed(
  spec: ObserveSpec,
  pairs: PairSpec,
  client: Parsed,
  shadow: Parsed,
): PairOutcome {
  if (client.kind !== 'json' && client.kind !== 'stream') return 'incomparable';
  if (shadow.kind === 'too_large' || shadow.kind === 'unreadable') return 'incomparable';
  if (pairs.by !== 'json') {
    return compareObserved(pairs, observationsIn(spec, client, null), observationsIn(spec, shadow, null));
  }
  if (client.kind === 'json' && shadow.kind === 'json') return comparePair(spec, client.value, shadow.value);
  return client.kind === shadow.kind ? 'incomparable' : 'disagree';
}
