import { join } from 'node:path';
import t from 'tap';
import { evidenceCodec } from '../../src/control/store/evidence-codec.ts';
import { createFileStore, createRecordStore } from '../../src/control/store/file-store.ts';
import { rollouts, storeContract } from '../contract/store.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { evidences } from '../support/saved-judge.ts';

t.test('the file store', (t) =>
  storeContract(t, rollouts, (t) => {
    const dir = join(t.testdir({}), 'state');
    return { store: createFileStore(dir), reopen: () => createFileStore(dir) };
  }),
);

t.test('the file store of evidence', (t) =>
  storeContract(t, evidences, (t) => {
    const dir = join(t.testdir({}), 'state', 'evidence');
    const open = () => createRecordStore(dir, evidenceCodec);
    return { store: open(), reopen: open };
  }),
);

t.test('the memory store of the tests', (t) =>
  storeContract(t, rollouts, () => {
    const store = createMemoryStore();
    return { store, reopen: () => store };
  }),
);
