import { type Field, keys, listOf, lost, manifest } from '../fields.ts';

/** Every field of an Argo Rollout (argoproj.io/v1alpha1), and what becomes of it. */

const PODS = lost('Coalmine starts no pods; deploy both versions as you like');
const REPLICAS = lost('Coalmine scales nothing; the number of replicas is the platform’s matter');
const ROUTER = lost('Coalmine is the router itself');
const RUNS = lost('there are no AnalysisRun objects');

const templateRefs = listOf(keys({ templateName: 'kept', clusterScope: 'kept' }));
const dryRun = listOf(keys({ metricName: 'kept' }));
const measurementRetention = listOf(keys({ metricName: 'kept', limit: 'kept' }));

const analysis = {
  templates: templateRefs,
  args: 'kept',
  dryRun,
  measurementRetention,
  analysisRunMetadata: RUNS,
} as const;

const experiment = keys({
  duration: 'kept',
  templates: listOf(
    keys({
      name: 'kept',
      specRef: 'kept',
      weight: 'kept',
      replicas: REPLICAS,
      metadata: PODS,
      selector: PODS,
      service: lost('the share goes to the version’s own address'),
    }),
  ),
  analyses: listOf(
    keys({
      name: 'kept',
      templateName: 'kept',
      clusterScope: 'kept',
      args: 'kept',
      requiredForCompletion: 'kept',
    }),
  ),
  dryRun,
  analysisRunMetadata: RUNS,
  scaleDownDelaySeconds: REPLICAS,
});

const step = keys({
  setWeight: 'kept',
  pause: keys({ duration: 'kept' }),
  analysis: keys(analysis),
  experiment,
  setHeaderRoute: 'kept',
  setMirrorRoute: 'kept',
  /** The step itself is carried over, so that the numbers of the steps stay; a note tells that it does nothing. */
  setCanaryScale: 'kept',
  plugin: 'kept',
  replicaProgressThreshold: REPLICAS,
});

const trafficRouting = keys({
  nginx: keys({
    stableIngress: 'kept',
    stableIngresses: 'kept',
    annotationPrefix: 'kept',
    additionalIngressAnnotations: 'kept',
    canaryIngressAnnotations: 'kept',
  }),
  managedRoutes: 'kept',
  maxTrafficWeight: 'kept',
  alb: ROUTER,
  ambassador: ROUTER,
  apisix: ROUTER,
  appMesh: ROUTER,
  istio: ROUTER,
  plugins: ROUTER,
  smi: ROUTER,
  traefik: ROUTER,
});

const canary = keys({
  stableService: 'kept',
  canaryService: 'kept',
  pingPong: 'kept',
  steps: listOf(step),
  analysis: keys({ ...analysis, startingStep: 'kept' }),
  trafficRouting,
  maxSurge: REPLICAS,
  maxUnavailable: REPLICAS,
  minPodsPerReplicaSet: REPLICAS,
  dynamicStableScale: REPLICAS,
  scaleDownDelaySeconds: REPLICAS,
  scaleDownDelayRevisionLimit: REPLICAS,
  abortScaleDownDelaySeconds: lost(
    'after an abort nothing is scaled down; the canary just gets no more users',
  ),
  replicaProgressThreshold: REPLICAS,
  antiAffinity: PODS,
  canaryMetadata: PODS,
  stableMetadata: PODS,
});

export const ROLLOUT: Field = manifest(
  keys({
    strategy: keys({ canary, blueGreen: 'kept' }),
    progressDeadlineSeconds: 'kept',
    progressDeadlineAbort: 'kept',
    rollbackWindow: keys({ revisions: 'kept' }),
    replicas: REPLICAS,
    selector: PODS,
    template: PODS,
    workloadRef: PODS,
    minReadySeconds: lost('readiness is `healthCheck` of the service’s `upstream` here'),
    revisionHistoryLimit: lost('there are no ReplicaSets; the history keeps its own length'),
    restartAt: PODS,
    paused: lost('`coalmine pause` and `coalmine resume` do it'),
    analysis: RUNS,
  }),
);
