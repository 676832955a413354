import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * Prediction ids: signed tokens that say which version served, so that feedback
 * that arrives days later, at any replica with the same secret, is joined to it
 * with nothing stored.
 *
 * Text: `2`, the payload in base64url, and of the HMAC-SHA256 of all that, in
 * base64url, the first 22 characters (132 bits). What is signed is the text, and
 * signatures are compared as texts, so one prediction has exactly one id.
 * Payload, numbers big-endian: nonce (6 bytes), atS (4), keyHash (5, signed), length
 * of the terms (2), of the service's name (2), the terms, the service's name, the
 * version's name.
 */
export interface Prediction {
  readonly service: string;
  readonly version: string;
  /** Who was compared, and at which shares: `termsOf` of the service then. */
  readonly terms: string;
  /** 32 bits of the sticky key's hash, or -1 for a request without a key. */
  readonly keyHash: number;
  /** Wall clock, whole seconds. */
  readonly atS: number;
}

export type Verified =
  | {
      readonly ok: true;
      readonly prediction: Prediction;
      /** 52 bits of the signature: tells predictions apart, and nobody without the secret can choose it. */
      readonly fingerprint: number;
    }
  | { readonly ok: false; readonly reason: 'forged' | 'expired' | 'malformed' };

const FORMAT = '2';
const HEAD_BYTES = 19;
const MAC_CHARS = 22;
/** More than any two names that a config may have. */
const MAX_CHARS = 4_096;
const SHAPE = /^2[A-Za-z0-9_-]+$/;

/**
 * The id of a prediction.
 *
 * @param nonce 48 bits; tells predictions of one user within a second apart
 */
export function signPrediction(secret: string, prediction: Prediction, nonce = newNonce()): string {
  const { service, version, terms, keyHash, atS } = prediction;
  const termsBytes = Buffer.byteLength(terms);
  const serviceBytes = Buffer.byteLength(service);
  const versionAt = HEAD_BYTES + termsBytes + serviceBytes;
  const bytes = Buffer.allocUnsafe(versionAt + Buffer.byteLength(version));
  bytes.writeUIntBE(nonce, 0, 6);
  bytes.writeUInt32BE(atS >>> 0, 6);
  bytes.writeIntBE(keyHash < 0 ? -1 : keyHash >>> 0, 10, 5);
  bytes.writeUInt16BE(termsBytes, 15);
  bytes.writeUInt16BE(serviceBytes, 17);
  bytes.write(terms, HEAD_BYTES);
  bytes.write(service, HEAD_BYTES + termsBytes);
  bytes.write(version, versionAt);
  const text = FORMAT + bytes.toString('base64url');
  return text + macOf(secret, text);
}

/**
 * What an id says, if it is one of ours and not older than `expiresS`.
 *
 * @param token whatever came as an id
 */
export function verifyPrediction(secret: string, token: unknown, nowS: number, expiresS: number): Verified {
  if (typeof token !== 'string' || token.length > MAX_CHARS || token.length <= MAC_CHARS) return MALFORMED;
  if (!SHAPE.test(token)) return MALFORMED;
  const text = token.slice(0, -MAC_CHARS);
  const mac = macOf(secret, text);
  if (!timingSafeEqual(Buffer.from(mac), Buffer.from(token.slice(-MAC_CHARS))))
    return { ok: false, reason: 'forged' };
  const prediction = decode(Buffer.from(text.slice(FORMAT.length), 'base64url'));
  if (prediction === null) return MALFORMED;
  // A time ahead of ours is another replica's clock: nobody else can have signed it.
  if (nowS - prediction.atS > expiresS) return { ok: false, reason: 'expired' };
  return { ok: true, prediction, fingerprint: fingerprintOf(mac) };
}

function fingerprintOf(mac: string): number {
  const bytes = Buffer.from(mac, 'base64url');
  return bytes.readUIntBE(0, 6) * 16 + ((bytes[6] as number) & 15);
}

const MALFORMED: Verified = { ok: false, reason: 'malformed' };

function decode(bytes: Buffer): Prediction | null {
  if (bytes.length < HEAD_BYTES) return null;
  const termsEnd = HEAD_BYTES + bytes.readUInt16BE(15);
  const serviceEnd = termsEnd + bytes.readUInt16BE(17);
  if (serviceEnd > bytes.length) return null;
  return {
    service: bytes.toString('utf8', termsEnd, serviceEnd),
    version: bytes.toString('utf8', serviceEnd),
    terms: bytes.toString('utf8', HEAD_BYTES, termsEnd),
    keyHash: bytes.readIntBE(10, 5),
    atS: bytes.readUInt32BE(6),
  };
}

function macOf(secret: string, text: string): string {
  return createHmac('sha256', keyOf(secret)).update(text).digest('base64url').slice(0, MAC_CHARS);
}

/** The last secret's key: a process has one secret, until a reload brings another. */
let held: { readonly secret: string; readonly key: KeyObject } | null = null;

/** A key of its own for this purpose, so that nothing else signed with the secret passes for an id. */
function keyOf(secret: string): KeyObject {
  if (held === null || held.secret !== secret) {
    const bytes = createHmac('sha256', secret).update('coalmine prediction id 1').digest();
    held = { secret, key: createSecretKey(bytes) };
  }
  return held.key;
}

const NONCES = 2 ** 48;
/** Counts from a random number on, so that processes do not meet. */
let lastNonce = randomBytes(6).readUIntBE(0, 6);

function newNonce(): number {
  lastNonce = (lastNonce + 1) % NONCES;
  return lastNonce;
}
