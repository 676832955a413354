import { tellLost } from './fields.ts';
import type { Backend } from './ingress.ts';
import type { Manifest } from './read.ts';
import { SERVICE } from './tables/service.ts';

/** Ports of the Services at hand, so that a named port, or none, becomes a number. */
export interface ServiceFacts {
  readonly manifest: Manifest;
  readonly ports: readonly { readonly name: string | null; readonly port: number }[];
}

export function readService(manifest: Manifest): ServiceFacts {
  tellLost(manifest.root, SERVICE);
  const ports = manifest.root
    .get('spec', 'ports')
    .items()
    .flatMap((at) => {
      const port = at.get('port').integer();
      return port === null ? [] : [{ name: at.get('name').text(), port }];
    });
  return { manifest, ports };
}

/** Finds the addresses of versions. */
export class AddressBook {
  readonly #services: readonly ServiceFacts[];
  readonly #backends: readonly Backend[];

  /** `backends`: all that the Ingresses name; one that names a port helps those that do not. */
  constructor(services: readonly ServiceFacts[], backends: readonly Backend[]) {
    this.#services = services;
    this.#backends = backends;
  }

  /** `http://iris-api-canary.models.svc:80`. What had to be guessed is noted, what cannot be known reported. */
  urlOf(backend: Backend): string {
    const { service, namespace, scheme } = backend;
    const host = namespace === null ? service : `${service}.${namespace}.svc`;
    return `${scheme}://${host}:${this.#portOf(backend)}`;
  }

  #portOf(backend: Backend): number {
    if (typeof backend.port === 'number') return backend.port;
    const ports = this.#services.find((one) => leadsTo(one, backend))?.ports ?? [];
    if (typeof backend.port === 'string') {
      const named = ports.find(({ name }) => name === backend.port);
      if (named !== undefined) return named.port;
      backend.at.fail(
        `the number of the port ${backend.port} is not known: give the file of the Service ${backend.service} too`,
      );
      return 80;
    }
    const [first] = ports;
    if (first !== undefined) return first.port;
    const other = this.#backends.find((one) => one.service === backend.service && one.port !== null);
    if (other !== undefined) return this.#portOf(other);
    const port = backend.scheme === 'https' ? 443 : 80;
    backend.at.note(`no manifest names a port of the Service ${backend.service}; ${port} is taken: check it`);
    return port;
  }
}

function leadsTo({ manifest }: ServiceFacts, { service, namespace }: Backend): boolean {
  return (
    manifest.name === service &&
    (manifest.namespace === null || namespace === null || manifest.namespace === namespace)
  );
}
