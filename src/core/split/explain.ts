import type { AssignReason, KeySource, Service, Share, Split } from '../model.ts';
import { type Assignment, choose, keyOf, makeChooser, pinsRules } from './choose.ts';
import { buildRoutes, findRoute } from './route.ts';
import type { RequestFacts } from './rules.ts';

/** A request as somebody describes it; what they leave out is absent. */
export interface DescribedRequest {
  /** Value of the service's first key source, whatever that is; null: none. */
  readonly key: string | null;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly cookies: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
  readonly method: string;
  /** Null: the path the service is matched by. */
  readonly path: string | null;
  /** As the gateway derives it; null: unknown. */
  readonly ip: string | null;
  /** Null: the region header, else the gateway's own region. */
  readonly region: string | null;
}

/** Buckets `from` up to, but without, `to` go to a version. */
export interface BucketRange {
  readonly version: string;
  readonly from: number;
  readonly to: number;
  /** Percent of the users. */
  readonly weight: number;
}

/** Which version a request gets and why. Plain data: this is also what the admin API answers. */
export interface Explanation {
  readonly service: string;
  readonly stage: number;
  readonly revision: number;
  /** Null: left to chance, in the shares of `ranges`. */
  readonly version: string | null;
  readonly reason: AssignReason;
  readonly rule: { readonly index: number; readonly id: string } | null;
  readonly key: { readonly source: string; readonly value: string } | null;
  /** 0..9999, or null where no bucket was needed or there is no key. */
  readonly bucket: number | null;
  /** The shares in force for this request; empty where a rule forces a version. */
  readonly ranges: readonly BucketRange[];
  /** One sentence for people. */
  readonly because: string;
  readonly notes: readonly string[];
}

/** What `choose` asked of the world outside the request. */
interface Asked {
  issuedId: boolean;
  chance: boolean;
}

/** The same decision as the gateway's, by the same code, told step by step. */
export function explain(
  split: Split,
  service: Service,
  request: DescribedRequest,
  compile: (source: string) => (text: string) => boolean,
): Explanation {
  const keyed = placeKey(service, request);
  const asked: Asked = { issuedId: false, chance: false };
  const facts = factsOf(split, service, keyed);
  const chosen = choose(makeChooser(service, compile), facts, {
    issuedId() {
      asked.issuedId = true;
      return keyed.issuedId;
    },
    pinned: () => -1,
    random() {
      asked.chance = true;
      return 0;
    },
  });
  const ranges = rangesOf(service, sharesInForce(service, chosen));
  const key = chosen.key === '' ? null : { source: sourceOf(service, facts, asked), value: chosen.key };
  const version = asked.chance ? null : versionName(service, chosen.version);
  const bucket = asked.chance || chosen.bucket < 0 ? null : chosen.bucket;
  const rule = chosen.rule < 0 ? null : { index: chosen.rule, id: service.rules[chosen.rule]?.id ?? '' };
  const told = { version, reason: chosen.reason, rule, key, bucket, ranges };
  return {
    service: service.name,
    stage: service.stage,
    revision: split.revision,
    ...told,
    because: sentence(told, service, asked),
    notes: notesOn(service, keyed, asked, told.key !== null),
  };
}

/** Consecutive ranges of the shares, what is left over for stable last; empty ranges are left out. */
export function rangesOf(service: Service, shares: readonly Share[] | null): BucketRange[] {
  if (shares === null) return [];
  const ranges: BucketRange[] = [];
  let from = 0;
  const add = (version: number, weightBp: number) => {
    if (weightBp <= 0) return;
    const to = from + weightBp;
    ranges.push({ version: versionName(service, version), from, to, weight: weightBp / 100 });
    from = to;
  };
  for (const share of shares) add(share.version, share.weightBp);
  add(service.stable, 10_000 - from);
  return ranges;
}

/** `header:x-user-id`, as it is written in the config. */
export function keySourceText(source: KeySource): string {
  return source.kind === 'ip' ? 'ip' : `${source.kind}:${source.name}`;
}

interface KeyedRequest extends DescribedRequest {
  /** What the issued cookie would hold; '' for none. */
  readonly issuedId: string;
  readonly keyUnused: boolean;
}

/** Puts a bare key where the service looks for one first. */
function placeKey(service: Service, request: DescribedRequest): KeyedRequest {
  const { key } = request;
  const plain = { ...request, issuedId: '', keyUnused: false };
  if (key === null || key === '') return plain;
  const [first] = service.sticky.by;
  switch (first?.kind) {
    case 'header':
      return { ...plain, headers: new Map([...request.headers, [first.name, key]]) };
    case 'cookie':
      return { ...plain, cookies: new Map([...request.cookies, [first.name, key]]) };
    case 'query':
      return { ...plain, query: new Map([...request.query, [first.name, key]]) };
    case 'ip':
      return { ...plain, ip: key };
    case undefined:
      return service.sticky.issueCookie === null
        ? { ...plain, keyUnused: true }
        : { ...plain, issuedId: key };
  }
}

function factsOf(split: Split, service: Service, request: KeyedRequest): RequestFacts {
  const { regionHeader } = service;
  const told = regionHeader === null ? undefined : request.headers.get(regionHeader);
  const region = (request.region ?? (told || split.region) ?? '').toLowerCase();
  return {
    method: request.method,
    path: request.path ?? service.match.path,
    header: (name) => request.headers.get(name),
    cookie: (name) => request.cookies.get(name),
    query: (name) => request.query.get(name),
    ip: () => request.ip ?? '',
    region: () => region,
  };
}

function sharesInForce(service: Service, chosen: Assignment): readonly Share[] | null {
  const rule = service.rules[chosen.rule];
  if (rule === undefined) return service.shares;
  return rule.then.kind === 'use' ? null : rule.then.shares;
}

function sourceOf(service: Service, facts: RequestFacts, asked: Asked): string {
  const { by, issueCookie } = service.sticky;
  if (asked.issuedId) return `issued cookie ${issueCookie?.name ?? ''}`.trim();
  const source = by.find((one) => keyOf([one], facts) !== '');
  return source === undefined ? '' : keySourceText(source);
}

function sentence(
  told: Pick<Explanation, 'version' | 'rule' | 'key' | 'bucket' | 'ranges'>,
  service: Service,
  asked: Asked,
): string {
  const { version, rule, key, bucket, ranges } = told;
  const group = rule === null ? '' : `${rule.id} holds; `;
  if (ranges.length === 0) return `${group}it sends every such request to ${version}`;
  const shares = ranges.map((range) => `${range.weight} % ${range.version}`).join(', ');
  const scope = rule === null ? 'the weights of the service' : 'the weights of that rule';
  if (key === null) {
    const how =
      asked.issuedId && service.sticky.issueCookie !== null
        ? `no key, so an id is issued in the cookie ${service.sticky.issueCookie.name} and decides from then on`
        : 'no key, so every request is drawn anew';
    return `${group}${how}, by ${scope}: ${shares}`;
  }
  const own = ranges.find((range) => bucket !== null && bucket >= range.from && bucket < range.to);
  const range = own === undefined ? '' : ` in ${own.from}..${own.to - 1}, the ${own.weight} % of ${version}`;
  return `${group}key ${JSON.stringify(key.value)} from ${key.source} has bucket ${bucket}${range} (${scope})`;
}

function notesOn(service: Service, request: KeyedRequest, asked: Asked, hasKey: boolean): string[] {
  const { sticky } = service;
  const notes: string[] = [];
  if (request.keyUnused) {
    notes.push('the key is not used: the service has neither sticky.by nor sticky.issueCookie');
  }
  if (sticky.mode === 'session' && hasKey) {
    const above = pinsRules(service) ? ', above every rule (precedence: nginx)' : '';
    notes.push(
      `mode: session: a user who is already pinned stays on that version${above}; this is a new user`,
    );
  }
  if (asked.issuedId && sticky.issueCookie !== null && request.cookies.has(sticky.issueCookie.name)) {
    notes.push(
      `the cookie ${sticky.issueCookie.name} is signed and is not read here; give the id in it as the key`,
    );
  }
  if (request.path !== null && !isUnder(service, request.path)) {
    notes.push(
      `the gateway sends ${request.path} to no version of this service: it serves ${service.match.path}`,
    );
  }
  if (service.regionHeader === null && request.region !== null) {
    notes.push(
      'the region given stands for the one of the gateway itself (the service has no region header)',
    );
  }
  return notes;
}

function isUnder(service: Service, path: string): boolean {
  const match = { host: null, path: service.match.path };
  return findRoute(buildRoutes([{ match, value: true }]), '', path) !== null;
}

function versionName(service: Service, index: number): string {
  return service.versions[index]?.name ?? '';
}
