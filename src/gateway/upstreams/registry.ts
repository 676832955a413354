import type { Service, Split, Upstream } from '../../core/model.ts';
import type { Log } from '../../ports.ts';
import { EndpointGroup } from './group.ts';
import { HealthChecker } from './health.ts';

/** How often a group that left the Split is looked at until its last request is over. */
const RETIRE_CHECK_MS = 500;

interface Held {
  readonly group: EndpointGroup;
  readonly checker: HealthChecker | null;
  readonly service: string;
  readonly version: string;
}

/**
 * Endpoint groups across Splits: a version whose upstream is unchanged keeps its
 * connections, health and ejections; one that left is closed once the requests
 * that started under it are over.
 */
export class UpstreamRegistry {
  readonly #log: Log;
  #held = new Map<string, Held>();
  /** The view in force, and earlier ones under which requests are still under way. */
  readonly #views = new Set<UpstreamView>();
  readonly #retiring = new Map<NodeJS.Timeout, Held>();
  #closed = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Groups of every (service, version), and of every shadow, of a Split; throws, and leaves nothing behind, where an endpoint is no URL. */
  enter(split: Split): UpstreamView {
    const next = new Map<string, Held>();
    try {
      this.#takeAll(next, split);
    } catch (error) {
      this.discard({ held: next, inFlight: 0 });
      throw error;
    }
    return { held: next, inFlight: 0 };
  }

  #takeAll(next: Map<string, Held>, split: Split): void {
    for (const service of split.services) {
      service.versions.forEach((version, index) => {
        this.#take(next, keyOf(service, index), service.name, version.name, version.upstream);
      });
      const { mirror } = service;
      if (mirror !== null) {
        const version = service.versions[mirror.to] as Service['versions'][number];
        this.#take(next, shadowKeyOf(service), service.name, version.name, shadowUpstream(service));
      }
    }
  }

  /** Makes a view the one in force and retires what it no longer holds. */
  commit(view: UpstreamView): void {
    const before = this.#held;
    this.#held = view.held;
    for (const past of this.#views) if (past.inFlight === 0) this.#views.delete(past);
    this.#views.add(view);
    for (const [key, held] of before) {
      if (view.held.get(key) !== held) this.#retire(key, held);
    }
  }

  /** Gives up a view that never came into force. */
  discard(view: UpstreamView): void {
    for (const [key, held] of view.held) {
      if (this.#held.get(key) !== held) void this.#destroy(held);
    }
  }

  all(): readonly Held[] {
    return [...this.#held.entries()].filter(([key]) => !key.startsWith('shadow ')).map(([, held]) => held);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#retiring.keys()) clearInterval(timer);
    const all = [...this.#held.values(), ...this.#retiring.values()];
    this.#held.clear();
    this.#retiring.clear();
    await Promise.all(all.map((held) => this.#destroy(held)));
  }

  #take(next: Map<string, Held>, key: string, service: string, version: string, upstream: Upstream): void {
    const full = `${key} ${JSON.stringify(upstream)}`;
    const held = this.#held.get(full);
    next.set(full, held ?? this.#make(service, version, upstream));
  }

  #make(service: string, version: string, upstream: Upstream): Held {
    const group = new EndpointGroup(upstream, (endpoint, ejectedMs) =>
      this.#log.warn({ service, version, endpoint: endpoint.origin, ejectedMs }, 'endpoint is ejected'),
    );
    const { health } = upstream;
    const checker =
      health === null ? null : new HealthChecker(group, health, { service, version }, this.#log);
    return { group, checker, service, version };
  }

  #retire(key: string, held: Held): void {
    held.checker?.stop();
    if (this.#closed) return;
    const timer = setInterval(() => {
      if (!held.group.idle || this.#mayBeAsked(key, held)) return;
      clearInterval(timer);
      this.#retiring.delete(timer);
      void this.#destroy(held);
    }, RETIRE_CHECK_MS);
    timer.unref();
    this.#retiring.set(timer, held);
  }

  /** Whether a request that started under it may yet turn to it: to fail over, or with a copy for the shadow. */
  #mayBeAsked(key: string, held: Held): boolean {
    for (const view of this.#views) {
      if (view.inFlight > 0 && view.held.get(key) === held) return true;
    }
    return false;
  }

  async #destroy(held: Held): Promise<void> {
    held.checker?.stop();
    await held.group.destroy();
  }
}

export interface UpstreamView {
  readonly held: Map<string, Held>;
  /** Requests that started under it and are not over. */
  inFlight: number;
}

export function groupOf(view: UpstreamView, service: Service, version: number): EndpointGroup {
  const { upstream } = service.versions[version] as Service['versions'][number];
  return find(view, `${keyOf(service, version)} ${JSON.stringify(upstream)}`);
}

export function shadowGroupOf(view: UpstreamView, service: Service): EndpointGroup {
  return find(view, `${shadowKeyOf(service)} ${JSON.stringify(shadowUpstream(service))}`);
}

function find(view: UpstreamView, key: string): EndpointGroup {
  const held = view.held.get(key);
  if (held === undefined) throw new Error('a service of another Split was looked up');
  return held.group;
}

function keyOf(service: Service, version: number): string {
  return `live ${service.name} ${(service.versions[version] as { name: string }).name}`;
}

function shadowKeyOf(service: Service): string {
  return `shadow ${service.name}`;
}

/** The shadow's own connections: as many as it may have in flight, none waiting, no checks, no retries. */
function shadowUpstream(service: Service): Upstream {
  const mirror = service.mirror as NonNullable<Service['mirror']>;
  const { upstream } = service.versions[mirror.to] as Service['versions'][number];
  return {
    ...upstream,
    timeouts: {
      connectMs: Math.min(upstream.timeouts.connectMs, mirror.timeoutMs),
      firstByteMs: mirror.timeoutMs,
      idleMs: mirror.timeoutMs,
      totalMs: mirror.timeoutMs,
    },
    pool: { ...upstream.pool, connections: mirror.maxInFlight, pending: 0 },
    retry: { retries: 0, budgetShare: 0, budgetMin: 0 },
    health: null,
    ejection: null,
  };
}
