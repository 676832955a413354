import { type Field, keys, listOf, lost, manifest } from '../fields.ts';

/** Fields of a Service: only its ports are read. */

const CLUSTER = lost('how the cluster makes the address; Coalmine only calls it');

export const SERVICE: Field = manifest(
  keys({
    ports: listOf(
      keys({
        name: 'kept',
        port: 'kept',
        protocol: CLUSTER,
        appProtocol: CLUSTER,
        targetPort: CLUSTER,
        nodePort: CLUSTER,
      }),
    ),
    selector: CLUSTER,
    type: CLUSTER,
    clusterIP: CLUSTER,
    clusterIPs: CLUSTER,
    ipFamilies: CLUSTER,
    ipFamilyPolicy: CLUSTER,
    internalTrafficPolicy: CLUSTER,
    externalTrafficPolicy: CLUSTER,
    externalIPs: CLUSTER,
    externalName: CLUSTER,
    sessionAffinity: lost('`sticky` says who stays where'),
    sessionAffinityConfig: lost('`sticky` says who stays where'),
    loadBalancerIP: CLUSTER,
    loadBalancerClass: CLUSTER,
    loadBalancerSourceRanges: CLUSTER,
    allocateLoadBalancerNodePorts: CLUSTER,
    healthCheckNodePort: CLUSTER,
    publishNotReadyAddresses: CLUSTER,
    trafficDistribution: CLUSTER,
  }),
);
