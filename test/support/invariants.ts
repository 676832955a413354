import type { Test } from 'tap';
import type { TestGateway } from './gateway.ts';
import { get } from './gateway.ts';
import type { Origin } from './origin.ts';
import type { RawClient } from './raw.ts';

/** What holds after every hostile case, whatever the case was. */

export interface Scene {
  readonly gateway: TestGateway;
  /** The upstream that the case was meant for. */
  readonly origin: Origin;
  /** An upstream that no request of the case may reach. */
  readonly decoy: Origin;
}

/** The target that every smuggled request in the cases names. */
export const SMUGGLED = '/smuggled';

export async function checkInvariants(t: Test, scene: Scene, client?: RawClient): Promise<void> {
  const { gateway, origin, decoy } = scene;
  await gateway.quiet();
  t.strictSame(origin.violations(), [], 'nothing ambiguous reached the upstream');
  const smuggled = origin.requests.filter(({ message }) => message.target.includes(SMUGGLED));
  t.equal(smuggled.length, 0, 'no second request was smuggled');
  t.equal(decoy.connections.length, 0, 'no connection to another origin');
  if (client !== undefined) {
    t.notMatch(client.bytes.toString('latin1'), /^HTTP\/1\.[01] 500 /m, 'no 500');
  }
  t.equal(gateway.logged.filter(({ level }) => level === 'error').length, 0, 'no error in the log');
  const probe = await get(gateway.port, '/probe');
  t.equal(probe.status, 200, 'a clean probe on a fresh connection gets 200');
}
