import type { RequestFacts } from '../../src/core/split/rules.ts';

export interface FakeRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly ip?: string;
  readonly region?: string;
}

/** What the split may ask of a request, from plain values; what is not named is not there. */
export function factsOf(request: FakeRequest = {}): RequestFacts {
  const reader = (values: Readonly<Record<string, string>> = {}) => {
    const held = new Map(Object.entries(values));
    return (name: string) => held.get(name);
  };
  return {
    method: request.method ?? 'GET',
    path: request.path ?? '/',
    header: reader(request.headers),
    cookie: reader(request.cookies),
    query: reader(request.query),
    ip: () => request.ip ?? '192.0.2.1',
    region: () => request.region ?? '',
  };
}

/** Stands for the linear-time engine of the config, which core only gets handed in. */
export function compileWithRegExp(source: string): (text: string) => boolean {
  const pattern = new RegExp(source);
  return (text) => pattern.test(text);
}
