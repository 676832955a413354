import { LRUCache } from 'lru-cache';
import type { Service } from '../core/model.ts';

interface Pin {
  readonly version: string;
  readonly epoch: number;
}

/**
 * `sticky.mode: session`: the version a key first got, for a time, for a bounded
 * number of keys. A version that loses its whole weight loses its pins at once
 * and does not get them back when the weight returns.
 */
export class Sessions {
  readonly #pins: LRUCache<string, Pin>;
  /** How often each version has been taken out; a pin of an earlier time is void. */
  readonly #epochs = new Map<string, number>();
  #live = new Set<string>();

  constructor(max: number, ttlMs: number) {
    // `updateAgeOnGet` off: the time counts from the first request, not the last.
    this.#pins = new LRUCache({ max, ttl: ttlMs, updateAgeOnGet: false });
  }

  /** To be called with every new Split before its first request. */
  enter(service: Service): void {
    const live = new Set([nameOf(service, service.stable)]);
    for (const share of service.shares) {
      if (share.weightBp > 0) live.add(nameOf(service, share.version));
    }
    for (const version of this.#live) {
      if (!live.has(version)) this.#epochs.set(version, this.#epochOf(version) + 1);
    }
    this.#live = live;
  }

  /** Index of the version that a key is pinned to, or -1. */
  pinned(service: Service, key: string): number {
    const pin = this.#pins.get(key);
    if (pin === undefined) return -1;
    if (pin.epoch !== this.#epochOf(pin.version) || !this.#live.has(pin.version)) {
      this.#pins.delete(key);
      return -1;
    }
    return service.versions.findIndex((version) => version.name === pin.version);
  }

  pin(service: Service, key: string, version: number): void {
    const name = nameOf(service, version);
    this.#pins.set(key, { version: name, epoch: this.#epochOf(name) });
  }

  #epochOf(version: string): number {
    return this.#epochs.get(version) ?? 0;
  }
}

function nameOf(service: Service, version: number): string {
  return (service.versions[version] as { name: string }).name;
}
