import t from 'tap';
import { restartKeys } from '../../src/control/restart.ts';
import { config } from './support.ts';

t.test('a new folder for the state waits for a restart', async (t) => {
  const boot = config({ stateDir: '/var/lib/a' });
  t.strictSame(restartKeys(boot, config({ stateDir: '/var/lib/b' })), ['state.dir']);
  t.strictSame(restartKeys(boot, config({ stateDir: '/var/lib/a' })), []);
});
