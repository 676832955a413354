/** Sets of users by a 32-bit hash of their key, bounded; two users with one hash count as one. */

const FIRST_SLOTS = 64;
/** 2^32 over the golden ratio: spreads hashes that differ in few bits (Knuth, TAOCP 6.4). */
const SPREAD = 0x9e3779b1;

/** Open addressing in an Int32Array: at most `max` hashes in at most 4 * 2 * max bytes and a half more. */
export class KeySet {
  /** A new key was turned away because the set was full. */
  full = false;
  size = 0;
  readonly #max: number;
  /** A power of two of slots, at most three quarters taken; 0 is a free one. */
  #slots = new Int32Array(FIRST_SLOTS);

  constructor(max: number) {
    this.#max = max;
  }

  /** Whether the hash was not in yet; once the set is full nobody is new any more. */
  add(keyHash: number): boolean {
    const held = keyHash | 0 || 1;
    let at = this.#slotOf(held);
    if (this.#slots[at] === held) return false;
    if (this.size >= this.#max) {
      this.full = true;
      return false;
    }
    if ((this.size + 1) * 4 > this.#slots.length * 3) {
      this.#grow();
      at = this.#slotOf(held);
    }
    this.#slots[at] = held;
    this.size++;
    return true;
  }

  /** Where the hash is, or the free slot where it belongs. */
  #slotOf(held: number): number {
    const mask = this.#slots.length - 1;
    let at = (Math.imul(held, SPREAD) >>> 7) & mask;
    for (;;) {
      const there = this.#slots[at];
      if (there === held || there === 0) return at;
      at = (at + 1) & mask;
    }
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Int32Array(before.length * 2);
    for (const held of before) if (held !== 0) this.#slots[this.#slotOf(held)] = held;
  }
}

const BITS = 2 ** 18;

/**
 * Users seen at all: a bit each, found by their hash. Two that meet in a bit count
 * as one, whichever version they are on, so the ratio between versions stays true.
 */
export class SeenKeys {
  /** Half the bits are set; nobody is counted any more. */
  full = false;
  readonly #bytes = new Uint8Array(BITS / 8);
  #set = 0;

  /** Whether the bit was not set yet. */
  add(keyHash: number): boolean {
    if (this.full) return false;
    // Both ends of the hash: FNV's lowest bits alone see only the lowest bits of its input.
    const bit = (keyHash ^ (keyHash >>> 14)) & (BITS - 1);
    const mask = 1 << (bit & 7);
    const byte = this.#bytes[bit >>> 3] as number;
    if ((byte & mask) !== 0) return false;
    this.#bytes[bit >>> 3] = byte | mask;
    this.full = ++this.#set >= BITS / 2;
    return true;
  }
}
