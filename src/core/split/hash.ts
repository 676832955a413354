/**
 * FNV-1a, 32 bits, over UTF-16 code units.
 *
 * Equal to `hashFnv32a` of GrowthBook's SDKs, whose hash version 2 `bucket`
 * repeats, so that an analyst can recompute any assignment in any language.
 * Source of the function: draft-eastlake-fnv, "The FNV Non-Cryptographic Hash
 * Algorithm", section 2 (offset basis 0x811c9dc5, prime 0x01000193).
 */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

/** The bucket of a key, 0..9999; one bucket is one basis point of the users. */
export function bucketOfKey(salt: string, key: string): number {
  return fnv1a32(String(fnv1a32(salt + key))) % 10_000;
}
