import t, { type Test } from 'tap';
import { serve } from '../support/gateway.ts';
import { textOf } from '../support/http1.ts';
import { checkInvariants, type Scene } from '../support/invariants.ts';
import { startOrigin } from '../support/origin.ts';
import { connectRaw, type RawClient } from '../support/raw.ts';
import { service, split, version } from '../support/split.ts';
import { type Case, FRAMING_CASES } from './cases/raw-client.ts';
import { SYNTAX_CASES } from './cases/raw-client-syntax.ts';

/** Hostile clients on bare sockets: every class of request framing that two parsers have ever read differently. */

/** One gateway for the whole table: a case must not spoil it for the next one. */
let shared: Scene | null = null;

const REFUSALS = [400, 404, 405, 408, 411, 413, 414, 417, 421, 426, 431, 501, 505];
for (const one of [...FRAMING_CASES, ...SYNTAX_CASES]) {
  t.test(one.name, async (t) => {
    const scene = await setScene();
    const client = await connectRaw({
      port: scene.gateway.port,
      methods: one.name.includes('HEAD') ? ['HEAD'] : [],
    });
    if (typeof one.send === 'string') client.send(one.send);
    else await client.sendPieces(one.send, 1);
    await settle(scene, client, one);
    judge(t, scene, client, one);
    client.socket.destroy();
    await checkInvariants(t, scene, client);
  });
}

async function setScene(): Promise<Scene> {
  if (shared === null) {
    const origin = await startOrigin(t);
    const decoy = await startOrigin(t);
    const services = [
      service([version('v1', origin.url)]),
      service([version('v1', decoy.url)], { name: 'decoy', host: 'decoy.example' }),
    ];
    const gateway = await serve(t, split(services), {
      limits: { bodyIdleTimeoutMs: 2_000, headersTimeoutMs: 2_000 },
    });
    shared = { gateway, origin, decoy };
  }
  shared.origin.forget();
  return shared;
}

/** Waits until the case is over: answered, or closed by the gateway. */
async function settle(scene: Scene, client: RawClient, one: Case): Promise<void> {
  await client.whole(one.name.startsWith('sound: three') ? 3 : one.name.startsWith('sound: two') ? 2 : 1);
  const refused = client.answers.some(({ status }) => REFUSALS.includes(status));
  if (refused && one.mayStay !== true) await client.closed();
  // What the gateway lets through is with the upstream by the time that it is counted.
  await scene.gateway.quiet();
}

function judge(t: Test, scene: Scene, client: RawClient, one: Case): void {
  t.equal(client.violation, null, 'the answers are sound themselves');
  const whole = scene.origin.whole().map(({ message }) => message);
  const [first] = client.answers;
  const served = first?.status === 200;
  if (one.expect !== 'served' && !served) {
    t.ok(first === undefined || REFUSALS.includes(first.status), `refused; ${client.describe()}`);
    t.equal(whole.length, 0, 'no whole request reached the upstream');
    t.equal(client.answers.length <= 1, true, 'nothing behind a refusal is answered');
    return;
  }
  t.equal(one.expect === 'refused', false, `must be refused; ${client.describe()}`);
  t.equal(first?.status, 200, client.describe());
  t.equal(whole.length, client.answers.length, 'as many requests up as answers down');
  if (one.bodies !== undefined) t.strictSame(whole.map(textOf), one.bodies);
}
