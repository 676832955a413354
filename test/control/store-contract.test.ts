import { join } from 'node:path';
import t from 'tap';
import { createFileStore } from '../../src/control/store/file-store.ts';
import { storeContract } from '../contract/store.ts';
import { createMemoryStore } from '../support/memory-store.ts';

t.test('the file store', (t) =>
  storeContract(t, (t) => {
    const dir = join(t.testdir({}), 'state');
    return { store: createFileStore(dir), reopen: () => createFileStore(dir) };
  }),
);

t.test('the memory store of the tests', (t) =>
  storeContract(t, () => {
    const store = createMemoryStore();
    return { store, reopen: () => store };
  }),
);
