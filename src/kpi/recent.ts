import type { CountedBlock } from '../core/judge/saved.ts';

/** As many of a service outlive the process at least: 400 KB of text. */
const MAX_KEPT = 50_000;
/** Those that are written down together, and once. */
const BLOCK = 1_000;
/** 48 bits: a slot of 47, and whether an event was counted. */
const BYTES = 6;
/** What BYTES are in base64. */
const CHARS = 8;

export interface RecentLimits {
  /** Of one service; as many more as fill a block may be kept. */
  readonly service: number;
  /** Of all services together. */
  readonly total: number;
  readonly block: number;
}

/** Those that a process after this one would count again, by the bound that drove them out. */
export interface Forgotten {
  readonly service: number;
  readonly total: number;
}

/**
 * The pairs of prediction and KPI that were counted last, by service, as they are written down. Where all services
 * together have too many, the one with the most gives its oldest.
 */
export class Recents {
  readonly #limits: RecentLimits;
  readonly #of = new Map<string, Recent>();
  readonly #forgotten = { service: 0, total: 0 };
  #size = 0;

  constructor(limits: Partial<RecentLimits> = {}) {
    this.#limits = { service: MAX_KEPT, total: Number.POSITIVE_INFINITY, block: BLOCK, ...limits };
  }

  /** @param slot 47 bits */
  add(service: string, slot: number, event: boolean): void {
    const { service: most, total, block } = this.#limits;
    let recent = this.#of.get(service);
    if (recent === undefined) {
      recent = new Recent(block);
      this.#of.set(service, recent);
    }
    recent.add(slot * 2 + (event ? 1 : 0));
    this.#size++;
    if (recent.size >= most + block) this.#drop(recent, 'service');
    while (this.#size > total) this.#drop(this.#largest(recent), 'total');
  }

  /** Oldest first. */
  blocks(service: string): readonly CountedBlock[] {
    return this.#of.get(service)?.blocks() ?? [];
  }

  /** Nobody asks for what was counted of this service any more. */
  forget(service: string): void {
    this.#size -= this.#of.get(service)?.size ?? 0;
    this.#of.delete(service);
  }

  forgotten(): Forgotten {
    return { ...this.#forgotten };
  }

  #drop(recent: Recent, bound: keyof Forgotten): void {
    const dropped = recent.dropOldest();
    this.#size -= dropped;
    this.#forgotten[bound] += dropped;
  }

  #largest(one: Recent): Recent {
    let largest = one;
    for (const recent of this.#of.values()) if (recent.size > largest.size) largest = recent;
    return largest;
  }
}

/** Those of one service. */
class Recent {
  readonly #block: number;
  #sealed: CountedBlock[] = [];
  #open: number[] = [];

  constructor(block: number) {
    this.#block = block;
  }

  get size(): number {
    return this.#sealed.length * this.#block + this.#open.length;
  }

  add(entry: number): void {
    this.#open.push(entry);
    if (this.#open.length < this.#block) return;
    this.#sealed.push(written(this.#open));
    this.#open = [];
  }

  blocks(): readonly CountedBlock[] {
    return this.#open.length === 0 ? this.#sealed.slice() : [...this.#sealed, written(this.#open)];
  }

  /** A block, or half of what does not fill one. How many that were. */
  dropOldest(): number {
    if (this.#sealed.shift() !== undefined) return this.#block;
    return this.#open.splice(0, Math.ceil(this.#open.length / 2)).length;
  }
}

function written(entries: readonly number[]): CountedBlock {
  const bytes = Buffer.allocUnsafe(entries.length * BYTES);
  for (const [i, entry] of entries.entries()) bytes.writeUIntBE(entry, i * BYTES, BYTES);
  return { text: bytes.toString('base64') };
}

/** What was written, oldest first; what is left at the end of a text that was cut is left out. */
export function readCounted(
  blocks: readonly CountedBlock[],
): readonly { readonly slot: number; readonly event: boolean }[] {
  return blocks.flatMap(({ text }) => {
    const bytes = Buffer.from(text.slice(0, text.length - (text.length % CHARS)), 'base64');
    return Array.from({ length: Math.floor(bytes.length / BYTES) }, (_, i) => {
      const entry = bytes.readUIntBE(i * BYTES, BYTES);
      return { slot: Math.floor(entry / 2), event: entry % 2 === 1 };
    });
  });
}
