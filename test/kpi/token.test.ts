import fc from 'fast-check';
import t from 'tap';
import { type Prediction, signPrediction, verifyPrediction } from '../../src/kpi/token.ts';

const SECRET = 'a secret of thirty-two characters';
const NOW = 1_790_000_000;
const DAY = 86_400;
const IRIS: Prediction = {
  service: 'iris-api',
  version: 'v2',
  terms: '9af3c011.1.dw',
  keyHash: 3_000_000_000,
  atS: NOW,
};
const reasonOf = (token: unknown, nowS = NOW) => {
  const verified = verifyPrediction(SECRET, token, nowS, 30 * DAY);
  return verified.ok ? 'ok' : verified.reason;
};

/** Made with Python's hmac, hashlib and base64 from the description in token.ts. */
const VECTORS: readonly (readonly [string, Prediction, number, string])[] = [
  [
    SECRET,
    IRIS,
    0x0123456789ab,
    '2ASNFZ4mrarE7gACy0F4AAA0ACDlhZjNjMDExLjEuZHdpcmlzLWFwaXYyvK1IVf8JWwak91v4DtnpcY',
  ],
  [
    'schlüssel',
    { service: 'größe', version: 'v2-β', terms: '', keyHash: -1, atS: 0 },
    0,
    '2AAAAAAAAAAAAAP______AAAAB2dyw7bDn2V2Mi3Osg-y1oO6icgwbOOxuFvVETzW',
  ],
];

t.test('ids are those that another implementation makes', async (t) => {
  for (const [secret, prediction, nonce, token] of VECTORS) {
    t.equal(signPrediction(secret, prediction, nonce), token);
    t.match(verifyPrediction(secret, token, prediction.atS, DAY), { ok: true, prediction });
  }
});

t.test('ids are short, and safe in URLs and headers', async (t) => {
  const long = { ...IRIS, service: 'recommendations-for-the-checkout', version: '2026-11-23-a1b2c3d' };
  for (const prediction of [IRIS, long]) {
    const token = signPrediction(SECRET, prediction);
    t.match(token, /^[A-Za-z0-9_-]+$/);
    t.ok(token.length <= 140, `${token.length} characters`);
  }
});

t.test('what was signed comes back, whatever it is', async () => {
  const prediction = fc.record({
    service: fc.string({ unit: 'grapheme', maxLength: 63 }),
    version: fc.string({ unit: 'grapheme', maxLength: 63 }),
    terms: fc.string({ maxLength: 63 }),
    keyHash: fc.integer({ min: -1, max: 2 ** 32 - 1 }),
    atS: fc.nat({ max: 2 ** 32 - 1 }),
  });
  fc.assert(
    fc.property(prediction, fc.string(), (prediction, secret) => {
      const verified = verifyPrediction(secret, signPrediction(secret, prediction), prediction.atS, 0);
      return verified.ok && JSON.stringify(verified.prediction) === JSON.stringify(prediction);
    }),
  );
});

t.test('predictions of one user within a second are told apart', async (t) => {
  const tokens = Array.from({ length: 1_000 }, () => signPrediction(SECRET, IRIS));
  t.equal(new Set(tokens).size, 1_000);
  const prints = tokens.map((token) => {
    const verified = verifyPrediction(SECRET, token, NOW, DAY);
    return verified.ok ? verified.fingerprint : -1;
  });
  t.equal(new Set(prints).size, 1_000);
  t.ok(prints.every((print) => print >= 0 && print < 2 ** 52));
  t.ok(
    prints.some((print) => print >= 2 ** 51) && prints.some((print) => print < 2 ** 51),
    'all bits are used',
  );
});

t.test('an id expires, and a clock that is ahead does no harm', async (t) => {
  const token = signPrediction(SECRET, IRIS);
  t.equal(reasonOf(token, NOW + 30 * DAY), 'ok');
  t.equal(reasonOf(token, NOW + 30 * DAY + 1), 'expired');
  t.equal(reasonOf(token, NOW - 600), 'ok');
});

t.test('no change of an id passes: one prediction has one id', async (t) => {
  const token = signPrediction(SECRET, IRIS);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const passed: string[] = [];
  for (let i = 0; i < token.length; i++) {
    for (const char of alphabet) {
      const changed = token.slice(0, i) + char + token.slice(i + 1);
      if (changed !== token && reasonOf(changed) === 'ok') passed.push(changed);
    }
  }
  t.strictSame(passed, []);
  for (const changed of [
    `${token}=`,
    ` ${token}`,
    `${token}\n`,
    `${token.slice(0, -1)}+`,
    `${token.slice(0, -1)}/`,
  ]) {
    t.equal(reasonOf(changed), 'malformed', JSON.stringify(changed));
  }
  t.equal(reasonOf(`${token}A`), 'forged');
  t.equal(reasonOf(token.slice(0, -1)), 'forged');
});

t.test('the secret counts', async (t) => {
  t.equal(reasonOf(signPrediction('another secret', IRIS)), 'forged');
  t.equal(reasonOf(signPrediction(SECRET, IRIS)), 'ok', 'also after another one was used');
});

t.test('what is no id is malformed', async (t) => {
  for (const token of [
    undefined,
    null,
    1,
    {},
    [],
    '',
    '2',
    'A'.repeat(22),
    'x'.repeat(65),
    `1${'A'.repeat(64)}`,
    '2'.repeat(1e6),
    '2é'.repeat(30),
  ]) {
    t.equal(reasonOf(token), 'malformed', String(token).slice(0, 30));
  }
  t.equal(reasonOf(`2${'A'.repeat(64)}`), 'forged');
});

t.test('any text is refused', async () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.base64String().map((text) => `2${text}`),
      ),
      (text) => reasonOf(text) !== 'ok',
    ),
  );
});
