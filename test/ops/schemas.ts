import type { Data, Manifest } from './manifests.ts';

/**
 * The validators that kubernetes-models makes of the OpenAPI descriptions. They check what they
 * know and pass over other keys, as the API server does not with `--validate=strict`; but whatever a
 * validator knows it reads, so a key that none of them read is one that there is not.
 */

interface Validator {
  (data: unknown): boolean;
  errors?:
    | readonly { readonly instancePath: string; readonly message?: string; readonly params: object }[]
    | null;
}

const ARGO = 'ComGithubArgoprojArgoRolloutsPkgApisRolloutsV1alpha1';
const OPERATOR = 'ComGithubPrometheusOperatorPrometheusOperatorPkgApisMonitoringV1';

/** Package and schema of each kind that the manifests use. */
const SCHEMAS: Readonly<Record<string, readonly [pack: string, schema: string]>> = {
  'apps/v1 Deployment': ['kubernetes-models', 'IoK8sApiAppsV1Deployment'],
  'v1 ConfigMap': ['kubernetes-models', 'IoK8sApiCoreV1ConfigMap'],
  'v1 PersistentVolumeClaim': ['kubernetes-models', 'IoK8sApiCoreV1PersistentVolumeClaim'],
  'v1 Service': ['kubernetes-models', 'IoK8sApiCoreV1Service'],
  'policy/v1 PodDisruptionBudget': ['kubernetes-models', 'IoK8sApiPolicyV1PodDisruptionBudget'],
  'networking.k8s.io/v1 NetworkPolicy': ['kubernetes-models', 'IoK8sApiNetworkingV1NetworkPolicy'],
  'monitoring.coreos.com/v1 ServiceMonitor': [
    '@kubernetes-models/prometheus-operator',
    `${OPERATOR}ServiceMonitor`,
  ],
  'argoproj.io/v1alpha1 Rollout': ['@kubernetes-models/argo-rollouts', `${ARGO}Rollout`],
  'argoproj.io/v1alpha1 AnalysisTemplate': ['@kubernetes-models/argo-rollouts', `${ARGO}AnalysisTemplate`],
};

/** Whatever JSON somebody wants to send. */
const FREE = /\/jsonBody$/;

/** One line a problem; none: the manifest is sound. */
export async function problemsOf({
  apiVersion,
  kind,
  data,
}: Pick<Manifest, 'apiVersion' | 'kind' | 'data'>): Promise<string[]> {
  const found = SCHEMAS[`${apiVersion} ${kind}`];
  if (found === undefined) return [`there is no schema of ${apiVersion} ${kind}`];
  const [pack, schema] = found;
  // By file, because not every package exports them; its models copy the data before they look at it.
  const file = new URL(`./_schemas/${schema}.js`, import.meta.resolve(pack));
  const { validate } = (await import(file.href)) as { validate: Validator };
  const { watched, unread } = watch(data);
  if (validate(watched)) return unread().map((place) => `${place} is not a known key`);
  return (validate.errors ?? []).map(
    ({ instancePath, message = '', params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

/** The data, and which of its keys nobody has read since. */
function watch(data: Data): { readonly watched: Data; unread(): string[] } {
  const levels: { readonly place: string; readonly held: object; readonly seen: Set<string | symbol> }[] = [];
  const wrap = (held: object, place: string): object => {
    const seen = new Set<string | symbol>();
    const inner = new Map<string | symbol, object>();
    levels.push({ place, held, seen });
    return new Proxy(held, {
      get(target, key) {
        seen.add(key);
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'object' || value === null || typeof key === 'symbol') return value;
        const known = inner.get(key) ?? wrap(value, `${place}/${key}`);
        inner.set(key, known);
        return known;
      },
      // Maps and lists are gone through as a whole: any key is fine there.
      ownKeys(target) {
        for (const key of Reflect.ownKeys(target)) seen.add(key);
        return Reflect.ownKeys(target);
      },
    });
  };
  return {
    watched: wrap(data, '') as Data,
    unread: () =>
      levels.flatMap(({ place, held, seen }) =>
        Array.isArray(held) || FREE.test(place)
          ? []
          : Object.keys(held).flatMap((key) => (seen.has(key) ? [] : [`${place}/${key}`])),
      ),
  };
}
