import type { Share } from '../model.ts';

/**
 * The version a bucket falls to: shares take consecutive ranges from bucket 0
 * up, the rest is stable's. A share that grows takes buckets from what follows
 * it and gives none away, so with one canary nobody ever leaves it while its
 * weight rises.
 */
export function versionOfBucket(shares: readonly Share[], stable: number, bucket: number): number {
  let end = 0;
  for (const share of shares) {
    end += share.weightBp;
    if (bucket < end) return share.version;
  }
  return stable;
}

/** Share of users a version gets without any rule, in basis points. */
export function weightBpOf(shares: readonly Share[], stable: number, version: number): number {
  let sum = 0;
  let own = 0;
  for (const share of shares) {
    sum += share.weightBp;
    if (share.version === version) own += share.weightBp;
  }
  return version === stable ? own + 10_000 - sum : own;
}
