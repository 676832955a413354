import t from 'tap';
import { serve } from '../support/gateway.ts';
import { textOf } from '../support/http1.ts';
import { answer, startOrigin } from '../support/origin.ts';
import { exchange, head } from '../support/raw.ts';
import { service, split, version } from '../support/split.ts';

/**
 * CVE-2026-16158: a cache of URLs, keyed by a string made of client input, sent
 * one request to the upstream of another. Pairs whose parts join to one text.
 */

const PAIRS: [host: string, target: string][] = [
  ['a.example', '/b.example/x'],
  ['a.example', '/x'],
  ['b.example', '/x'],
  ['b.example', '//a.example/x'],
  ['a.example', '/x?http://b.example/x'],
  ['b.example', '/x?http://a.example/x'],
  ['a.example:80', '/x'],
  ['b.example:80', '/x'],
  ['a.example', '/80/x'],
  ['a.example', '/__proto__'],
  ['b.example', '/__proto__'],
  ['a.example', '/constructor'],
  ['b.example', '/constructor'],
];

t.test('every pair of host and path goes to its own upstream, in any order, time and again', async (t) => {
  const named = (name: string) =>
    startOrigin(t, (call) => call.write(answer(200, `${name} ${call.message.target}`)));
  const [a, b] = [await named('a'), await named('b')];
  const gateway = await serve(
    t,
    split([
      service([version('v1', a.url)], { name: 'a', host: 'a.example' }),
      service([version('v1', b.url)], { name: 'b', host: 'b.example' }),
    ]),
  );
  for (const pairs of [PAIRS, PAIRS.toReversed(), PAIRS]) {
    for (const [host, target] of pairs) {
      const client = await exchange(gateway.port, head(`GET ${target} HTTP/1.1`, `Host: ${host}`));
      t.equal(textOf(client.answers[0]!), `${host[0]} ${target}`, `${host} ${target}`);
    }
  }
});
