import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import t from 'tap';
import { bucketOfKey, fnv1a32 } from '../../src/core/split/hash.ts';
import { requireTool } from '../support/requireTool.ts';

/** From the FNV authors' own test suite (test_fnv.c, public domain), where bytes and code units agree. */
const PUBLISHED_FNV: readonly (readonly [string, number])[] = [
  ['', 0x811c9dc5],
  ['a', 0xe40c292c],
  ['b', 0xe70c2de5],
  ['c', 0xe60c2c52],
  ['d', 0xe10c2473],
  ['e', 0xe00c22e0],
  ['f', 0xe30c2799],
  ['fo', 0x6222e842],
  ['foo', 0xa9f37ed7],
  ['foob', 0x3f5076ef],
  ['fooba', 0x39aaa18a],
  ['foobar', 0xbf9cf968],
  ['\0', 0x050c5d1f],
  ['a\0', 0x2b24d044],
  ['foobar\0', 0x0c1c9eb8],
  ['ch', 0x5f299f4e],
  ['chongo', 0xbd564e7d],
  ['chongo was here!', 0x448524fd],
  ['chongo was here!\n', 0xd49930d5],
  ['hi', 0x683af69a],
  ['hello', 0x4f9f2cab],
  ['\xff\0\0\x01', 0xc48fb86d],
  ['\x01\0\0\xff', 0x2269f369],
  ['\x40\x51\x4e\x44', 0x32179058],
  ['127.0.0.1', 0x08a3d11e],
  ['feedface', 0x0588b13c],
  ['21701'.repeat(10), 0xe415e2bb],
  ['\x7f'.repeat(500), 0x813b0881],
];

/** GrowthBook's packages/sdk-js/test/cases.json, "hash": seed, value, version, expected. */
const PUBLISHED_GROWTHBOOK: readonly (readonly [string, string, 1 | 2, number])[] = [
  ['', 'a', 1, 0.22],
  ['', 'b', 1, 0.077],
  ['b', 'a', 1, 0.946],
  ['ef', 'd', 1, 0.652],
  ['asdf', '8952klfjas09ujk', 1, 0.549],
  ['', '123', 1, 0.011],
  ['', '___)((*":&', 1, 0.563],
  ['seed', 'a', 2, 0.0505],
  ['seed', 'b', 2, 0.2696],
  ['foo', 'ab', 2, 0.2575],
  ['foo', 'def', 2, 0.2019],
  ['89123klj', '8952klfjas09ujkasdf', 2, 0.124],
  ['90850943850283058242805', '123', 2, 0.7516],
  ['()**(%$##$%#$#', '___)((*":&', 2, 0.0128],
];

interface Vectors {
  hashes: { text: string; hash: number }[];
  buckets: { salt: string; key: string; bucket: number }[];
}
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const committed = readFileSync(path('fnv_vectors.json'), 'utf8');

t.test('fnv1a32 gives the values its authors published', async (t) => {
  for (const [text, hash] of PUBLISHED_FNV) t.equal(fnv1a32(text), hash, JSON.stringify(text.slice(0, 20)));
});

t.test('a bucket is what GrowthBook publishes for hash version 2', async (t) => {
  for (const [seed, value, version, expected] of PUBLISHED_GROWTHBOOK) {
    // Version 1 appends the seed; it is here because it checks the inner hash alone.
    const actual =
      version === 2 ? bucketOfKey(seed, value) / 10_000 : (fnv1a32(value + seed) % 1_000) / 1_000;
    t.equal(actual, expected, `${seed} ${value} version ${version}`);
  }
});

t.test('hashes and buckets equal those of an independent implementation', async (t) => {
  const { hashes, buckets }: Vectors = JSON.parse(committed);
  t.ok(hashes.length > 20 && buckets.length >= 50, 'there are vectors');
  t.ok(
    hashes.some(({ text }) => /[\ud800-\udbff][\udc00-\udfff]/.test(text)),
    'among them surrogate pairs',
  );
  for (const { text, hash } of hashes) t.equal(fnv1a32(text), hash, JSON.stringify(text.slice(0, 20)));
  for (const { salt, key, bucket } of buckets) {
    t.equal(bucketOfKey(salt, key), bucket, JSON.stringify([salt, key]));
  }
});

t.test('the committed vectors are what the script prints', requireTool('python3'), async (t) => {
  t.equal(execFileSync('python3', [path('fnv_vectors.py')], { encoding: 'utf8' }), committed);
});

t.test('any text at all, also with lone surrogates, hashes as exact arithmetic does', async () => {
  const exact = (text: string) => {
    let hash = 2_166_136_261n;
    for (let i = 0; i < text.length; i++) {
      hash = ((hash ^ BigInt(text.charCodeAt(i))) * 16_777_619n) % 4_294_967_296n;
    }
    return Number(hash);
  };
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => fnv1a32(text) === exact(text)));
  const units = fc.array(fc.integer({ min: 0, max: 0xffff }));
  fc.assert(
    fc.property(units, (codes) => {
      const text = String.fromCharCode(...codes);
      return fnv1a32(text) === exact(text);
    }),
  );
});

t.test('a bucket is a whole number from 0 to 9999', async () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (salt, key) => {
      const bucket = bucketOfKey(salt, key);
      return Number.isInteger(bucket) && bucket >= 0 && bucket <= 9_999;
    }),
  );
});
