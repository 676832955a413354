import { type Field, keys, listOf, lost, manifest } from '../fields.ts';

/** Every field of an Ingress (networking.k8s.io/v1), and what becomes of it. Annotations stand in annotations.ts. */

const backend = keys({
  service: keys({ name: 'kept', port: keys({ number: 'kept', name: 'kept' }) }),
  resource: 'kept',
});

export const INGRESS: Field = manifest(
  keys({
    rules: listOf(
      keys({
        host: 'kept',
        http: keys({ paths: listOf(keys({ path: 'kept', pathType: 'kept', backend })) }),
      }),
    ),
    defaultBackend: backend,
    tls: lost(
      'certificates stand in Secrets; put them into files and name these under `tls: { cert: …, key: … }` to serve HTTPS, or let the load balancer in front do it',
    ),
    ingressClassName: lost('chooses an ingress controller'),
  }),
  'kept',
);
