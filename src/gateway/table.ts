import type { Mirror, Service, Split } from '../core/model.ts';
import { type Chooser, makeChooser } from '../core/split/choose.ts';
import { type CompiledMirrorRoute, compileMirrorRoutes } from '../core/split/mirror.ts';
import { buildRoutes, type RouteTable } from '../core/split/route.ts';
import type { Tally } from '../core/tally.ts';
import type { PatternCompiler } from '../ports.ts';
import type { Recorder } from '../tally/recorder.ts';
import { CookieIssuer } from './cookies.ts';
import type { JudgeRuntime, Judging } from './judging.ts';
import { MirrorBudget } from './mirror-budget.ts';
import { TrustedProxies } from './peers.ts';
import { Sessions } from './sessions.ts';
import type { EndpointGroup } from './upstreams/group.ts';
import { groupOf, shadowGroupOf, type UpstreamRegistry, type UpstreamView } from './upstreams/registry.ts';

/**
 * A Split made ready for requests: routes built, rules compiled, counters and
 * connections looked up. One request reads one table; a new Split makes a new
 * one and swaps one reference.
 */
export interface Table {
  readonly split: Split;
  readonly routes: RouteTable<ServiceRuntime>;
  readonly services: readonly ServiceRuntime[];
  readonly proxies: TrustedProxies;
  /** The gateway's own region, or ''. */
  readonly region: string;
  readonly view: UpstreamView;
}

export interface ServiceRuntime {
  readonly service: Service;
  readonly chooser: Chooser;
  /** By version index. */
  readonly tallies: readonly Tally[];
  /** By version index. */
  readonly groups: readonly EndpointGroup[];
  readonly sessions: Sessions | null;
  readonly issuer: CookieIssuer | null;
  readonly shadow: ShadowRuntime | null;
  /** Null where nothing is counted for the judge. */
  readonly judge: JudgeRuntime | null;
}

export interface ShadowRuntime {
  readonly spec: Mirror;
  readonly routes: readonly CompiledMirrorRoute[];
  readonly group: EndpointGroup;
  readonly tally: Tally;
  readonly budget: MirrorBudget;
}

/** Makes tables, and keeps what outlives a Split: pinned sessions and what the shadows hold. */
export class TableMaker {
  readonly #recorder: Recorder;
  readonly #registry: UpstreamRegistry;
  readonly #compile: PatternCompiler;
  readonly #judging: Judging;
  readonly #sessions = new Map<string, { sessions: Sessions; ttlMs: number; max: number }>();
  readonly #budgets = new Map<string, MirrorBudget>();

  constructor(recorder: Recorder, registry: UpstreamRegistry, compile: PatternCompiler, judging: Judging) {
    this.#recorder = recorder;
    this.#registry = registry;
    this.#compile = compile;
    this.#judging = judging;
  }

  /** Throws where a Split cannot be served; nothing of the one in force is touched then. */
  make(split: Split): Table {
    const proxies = new TrustedProxies(split.trustProxy);
    const choosers = split.services.map((service) => makeChooser(service, this.#compile));
    const view = this.#registry.enter(split);
    try {
      const services = choosers.map((chooser) => this.#runtime(chooser, view));
      const routes = buildRoutes(services.map((value) => ({ match: value.service.match, value })));
      return { split, routes, services, proxies, region: split.region?.toLowerCase() ?? '', view };
    } catch (error) {
      this.#registry.discard(view);
      throw error;
    }
  }

  /** Called when a table comes into force, before its first request. */
  commit(table: Table): void {
    this.#registry.commit(table.view);
    this.#keepSessions(table);
    const names = new Set(table.split.services.map((service) => service.name));
    for (const name of this.#budgets.keys()) if (!names.has(name)) this.#budgets.delete(name);
    this.#recorder.retain(table.split);
    this.#judging.retain(table.split);
  }

  #runtime(chooser: Chooser, view: UpstreamView): ServiceRuntime {
    const { service } = chooser;
    const tallies = this.#recorder.open(service);
    const { issueCookie } = service.sticky;
    return {
      service,
      chooser,
      tallies,
      groups: service.versions.map((_, index) => groupOf(view, service, index)),
      sessions: this.#sessionsOf(service),
      issuer: issueCookie === null ? null : new CookieIssuer(issueCookie),
      shadow: this.#shadowOf(service, tallies, view),
      judge: this.#judging.open(service),
    };
  }

  #sessionsOf(service: Service): Sessions | null {
    const { mode, sessionMax: max, sessionTtlMs: ttlMs } = service.sticky;
    if (mode !== 'session') return null;
    const held = this.#sessions.get(service.name);
    if (held !== undefined && held.max === max && held.ttlMs === ttlMs) return held.sessions;
    return new Sessions(max, ttlMs);
  }

  /** Pins outlive a Split only where the next one pins as well: in between, weights change unseen. */
  #keepSessions(table: Table): void {
    this.#sessions.clear();
    for (const { service, sessions } of table.services) {
      if (sessions === null) continue;
      sessions.enter(service);
      const { sessionMax: max, sessionTtlMs: ttlMs } = service.sticky;
      this.#sessions.set(service.name, { sessions, ttlMs, max });
    }
  }

  #shadowOf(service: Service, tallies: readonly Tally[], view: UpstreamView): ShadowRuntime | null {
    const { mirror: spec } = service;
    if (spec === null) return null;
    let budget = this.#budgets.get(service.name);
    if (budget === undefined) {
      budget = new MirrorBudget();
      this.#budgets.set(service.name, budget);
    }
    const routes = compileMirrorRoutes(spec, this.#compile);
    return { spec, routes, group: shadowGroupOf(view, service), tally: tallies[spec.to] as Tally, budget };
  }
}
