import type { ExplainBody } from '../../admin/contract.ts';

/** The line of buckets, 0..9999, as it is dealt now and at each coming step. */
export interface BucketLine {
  readonly label: string;
  /** Null: left to chance. */
  readonly version: string | null;
  readonly because: string;
  /** Empty where a rule decides. Shares of the line, 0..1. */
  readonly spans: readonly { readonly version: string; readonly from: number; readonly to: number }[];
  /** The version is another one than on the line before. */
  readonly changes: boolean;
}

/** What comes behind the last step. */
const PROMOTION = 'promotion';
export const BUCKETS = 10_000;

export function bucketLines(explained: ExplainBody, stable: string, canary: string): readonly BucketLine[] {
  const now: BucketLine = {
    label: 'now',
    version: explained.version,
    because: explained.because,
    spans: explained.ranges.map(({ version, from, to }) => ({
      version,
      from: from / BUCKETS,
      to: to / BUCKETS,
    })),
    changes: false,
  };
  // Where a rule deals the users, later weights are not its.
  const dealt = explained.rule === null && explained.ranges.length > 0;
  let before = explained.version;
  const coming = explained.coming.map((step) => {
    const changes = step.version !== before;
    before = step.version;
    const spans = dealt ? spansAt(step.weight, stable, canary) : [];
    const label = step.text === PROMOTION ? PROMOTION : `step ${step.step + 1}: ${step.text}`;
    return { label, version: step.version, because: step.because, spans, changes };
  });
  return [now, ...coming];
}

function spansAt(weight: number, stable: string, canary: string): BucketLine['spans'] {
  const edge = weight / 100;
  return [
    { version: canary, from: 0, to: edge },
    { version: stable, from: edge, to: 1 },
  ].filter(({ from, to }) => to > from);
}

/** In the middle of its bucket, 0..1. */
export function bucketPlace(bucket: number): number {
  return (bucket + 0.5) / BUCKETS;
}

/** The query of `explain` from what is typed. Empty fields and lines are left out. */
export function explainQuery(key: string, headers: string, path: string): URLSearchParams {
  const query = new URLSearchParams();
  if (key.trim() !== '') query.set('key', key.trim());
  for (const line of headers.split('\n')) if (line.trim() !== '') query.append('header', line.trim());
  if (path.trim() !== '') query.set('path', path.trim());
  return query;
}
