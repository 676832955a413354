import { type Mirror, WHOLE_BP } from '../model.ts';

/**
 * Whether a request of this bucket is mirrored.
 *
 * The shadow takes its share from the top of the buckets, the canary from the
 * bottom: users on the canary already serve as its evidence, and a mirror of 5 %
 * beside a canary of 5 % would otherwise be empty. Raising the percent adds users
 * and drops none.
 *
 * @param bucket 0..9999, the request's own or a random one
 */
export function inMirrorShare(mirror: Mirror, bucket: number): boolean {
  return bucket >= WHOLE_BP - mirror.percentBp;
}
