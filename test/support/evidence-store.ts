import { evidenceCodec } from '../../src/control/store/evidence-codec.ts';
import type { SavedJudge } from '../../src/core/judge/saved.ts';
import { type SpareStore, StoreConflict, type Stored } from '../../src/ports.ts';

/** A store of evidence without a disk: texts as they would be written, and the failures of one at a test's call. */
export interface EvidenceStore extends SpareStore<SavedJudge> {
  readonly texts: Map<string, string>;
  readonly aside: Map<string, string>;
  /** What was moved away unread. */
  readonly unread: Map<string, string>;
  /** Services in the order of their saves. */
  readonly saves: string[];
  /** What is stored, read. */
  peek(service: string): SavedJudge | null;
  /** So many loads find the disk failing. */
  failLoads(times: number): void;
  /** Saves reject with this from now on; null: they work again. */
  failSaves(error: Error | null): void;
  /** Saves take until the returned function is called. */
  hold(): () => void;
}

/** As it would be written. */
export function evidenceText(service: string, saved: SavedJudge, revision: number): string {
  return Buffer.from(evidenceCodec.encode(service, saved, revision)).toString();
}

export function createEvidenceStore(): EvidenceStore {
  const texts = new Map<string, string>();
  const aside = new Map<string, string>();
  const unread = new Map<string, string>();
  const saves: string[] = [];
  let failure: Error | null = null;
  let failing = 0;
  let held: Promise<void> = Promise.resolve();
  const look = (service: string): Stored<SavedJudge> => {
    const text = texts.get(service);
    if (text === undefined) return { kind: 'none' };
    const decoded = evidenceCodec.decode(service, Buffer.from(text));
    return decoded.kind === 'found' ? decoded : { ...decoded, where: `memory:${service}` };
  };
  return {
    texts,
    aside,
    unread,
    saves,
    async load(service) {
      if (failing === 0) return look(service);
      failing--;
      return { kind: 'unreadable', where: `memory:${service}`, reason: 'cannot be read (EMFILE)' };
    },
    async save(service, saved, expected) {
      saves.push(service);
      const text = evidenceText(service, saved, expected + 1);
      await held;
      if (failure !== null) throw failure;
      const stored = look(service);
      if (stored.kind === 'damaged')
        throw new Error(`what is there is not to be overwritten: it ${stored.reason}`);
      const revision = stored.kind === 'found' ? stored.revision : 0;
      if (revision !== expected) {
        throw new StoreConflict(`revision ${revision} is stored, not ${expected}`, revision);
      }
      texts.set(service, text);
      return expected + 1;
    },
    async setAside(service, reason) {
      (reason === 'unread' ? unread : aside).set(service, texts.get(service) ?? '');
      texts.delete(service);
    },
    async remove(service) {
      texts.delete(service);
    },
    peek(service) {
      const stored = look(service);
      return stored.kind === 'found' ? stored.state : null;
    },
    failLoads: (times) => {
      failing = times;
    },
    failSaves: (error) => {
      failure = error;
    },
    hold() {
      const { promise, resolve } = withResolvers();
      held = promise;
      return resolve;
    },
  };
}

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => undefined as undefined;
  const promise = new Promise<void>((done) => {
    resolve = () => done() as undefined;
  });
  return { promise, resolve: () => resolve() };
}
