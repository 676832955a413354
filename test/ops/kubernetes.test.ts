import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { formatIssue } from '../../src/config/issue.ts';
import { compiled, inspect } from '../config/support.ts';
import { requireTool } from '../support/requireTool.ts';
import {
  at,
  built,
  type Data,
  FOLDER,
  kustomization,
  type Manifest,
  manifestsOf,
  matches,
  read,
} from './manifests.ts';
import { problemsOf } from './schemas.ts';

/** config/kubernetes: sound by the schemas, and its parts find each other. */

const FOLDERS = ['gateway', 'sidecar', 'monitoring', 'argo', 'flagger'];
/** Those that run Coalmine. */
const BASES = ['gateway', 'sidecar'];
/** Of Flagger nobody publishes a schema where tests may get it; test/ops/flagger.test.ts looks at its Canary. */
const hasSchema = ({ kind }: Manifest) => kind !== 'Canary';
const ENV = { COALMINE_ADMIN_TOKEN: 'not-a-real-token' };

t.test('there is a kustomization in each folder, and no other file than it names', async (t) => {
  t.strictSame(readdirSync(FOLDER).sort(), FOLDERS.toSorted());
  for (const folder of FOLDERS) {
    const { data, resources, generators } = kustomization(folder);
    t.match(data, { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' });
    const known = ['apiVersion', 'kind', 'resources', 'configMapGenerator', 'generatorOptions'];
    t.strictSame(
      Object.keys(data).filter((key) => !known.includes(key)),
      [],
      `${folder}: known keys`,
    );
    const named = [...resources, ...generators.flatMap(({ files }) => files)];
    for (const file of named) t.ok(existsSync(path.join(FOLDER, folder, file)), `${folder}/${file}`);
    const others = readdirSync(path.join(FOLDER, folder)).filter((file) => !named.includes(file));
    const own = ['argo', 'flagger'].includes(folder) ? ['coalmine.yaml'] : [];
    t.strictSame(others.sort(), [...own, 'kustomization.yaml'], folder);
  }
});

t.test('every manifest is sound by its schema, with no key that is not in it', async (t) => {
  for (const manifest of FOLDERS.flatMap((folder) => manifestsOf(kustomization(folder))).filter(hasSchema)) {
    t.strictSame(await problemsOf(manifest), [], manifest.place);
  }
});

t.test('the schemas see what is wrong', async (t) => {
  const [deployment] = manifestsOf(kustomization('gateway')) as [Manifest];
  const change = (edit: (data: Record<string, never>) => void) => {
    const data = structuredClone(deployment.data) as Record<string, never>;
    edit(data);
    return problemsOf({ ...deployment, data });
  };
  const container = (data: Data) => at(data, 'spec.template.spec.containers.0') as Record<string, unknown>;
  t.match(await change((data) => Object.assign(data, { spec: 5 })), [/spec/]);
  t.match(await change((data) => Object.assign(at(data, 'spec') as object, { replicas: 'one' })), [
    /replicas/,
  ]);
  t.strictSame(await change((data) => Object.assign(container(data), { imagee: 'x' })), [
    '/spec/template/spec/containers/0/imagee is not a known key',
  ]);
  t.match(await change((data) => Object.assign(container(data), { name: undefined })), [/name/]);
  t.match(await problemsOf({ ...deployment, kind: 'Deploy' }), [/no schema/]);
});

t.test('kustomize builds each', requireTool('kubectl', ['version', '--client']), async (t) => {
  for (const folder of FOLDERS) {
    const made = built(folder);
    const { generators } = kustomization(folder);
    t.equal(made.length, manifestsOf(kustomization(folder)).length + generators.length, folder);
    for (const manifest of made.filter(hasSchema))
      t.strictSame(await problemsOf(manifest), [], manifest.place);
    for (const { name, files } of generators) {
      const map = made.find(({ kind }) => kind === 'ConfigMap');
      t.equal(map?.name, name, 'without a hash, so that an edit is a reload');
      for (const file of files) t.equal((at(map?.data, 'data') as Data)[file], read(folder, file));
    }
  }
});

t.test('the configs are sound', async (t) => {
  for (const folder of FOLDERS.filter((one) => one !== 'monitoring')) {
    const { issues, warnings } = inspect(read(folder, 'coalmine.yaml'), { env: ENV });
    t.strictSame([...issues, ...warnings].map(formatIssue), [], folder);
  }
});

for (const folder of BASES) {
  const manifests = manifestsOf(kustomization(folder));
  const deployment = manifests.find(({ kind }) => kind === 'Deployment') as Manifest;
  const pod = at(deployment.data, 'spec.template.spec') as Data;
  const labels = at(deployment.data, 'spec.template.metadata.labels');
  const containers = pod.containers as readonly Data[];
  const coalmine = containers.find(({ name }) => name === 'coalmine') as Data;
  const ports = new Map(
    containers.flatMap(({ ports }) => (ports as Data[]).map((one) => [one.name, one.containerPort] as const)),
  );

  t.test(`${folder}: selectors find the Pods, and ports have names that are there`, async (t) => {
    t.ok(matches(labels, at(deployment.data, 'spec.selector.matchLabels')), 'the Deployment');
    const services = manifests.filter(({ kind }) => kind === 'Service');
    t.equal(services.length, 2);
    for (const { place, data } of services) {
      t.ok(matches(labels, at(data, 'spec.selector')), place);
      for (const port of at(data, 'spec.ports') as Data[]) {
        t.ok(ports.has(port.targetPort) && port.name === port.targetPort, `${place}: ${port.targetPort}`);
      }
    }
    const others = manifests.filter(({ kind }) => kind === 'PodDisruptionBudget' || kind === 'NetworkPolicy');
    t.equal(others.length, 2);
    for (const { place, data } of others) {
      const selector = at(data, 'spec.selector.matchLabels') ?? at(data, 'spec.podSelector.matchLabels');
      t.ok(matches(labels, selector), place);
    }
    const policy = others.find(({ kind }) => kind === 'NetworkPolicy');
    const open = (at(policy?.data, 'spec.ingress') as Data[]).flatMap((rule) => rule.ports as Data[]);
    t.strictSame(
      open.map(({ port }) => port),
      ['http', 'admin'],
      'and to nothing else',
    );
    for (const { labels: own, place } of manifests)
      t.ok(own['app.kubernetes.io/part-of'] === 'coalmine', place);
  });

  t.test(`${folder}: it is scraped as the rules expect`, async (t) => {
    const [monitor] = manifestsOf(kustomization('monitoring')) as [Manifest];
    const scraped = manifests.filter(
      ({ kind, labels }) =>
        kind === 'Service' && matches(labels, at(monitor.data, 'spec.selector.matchLabels')),
    );
    t.equal(scraped.length, 1);
    const [admin] = scraped as [Manifest];
    t.equal(admin.labels[at(monitor.data, 'spec.jobLabel') as string], 'coalmine', 'the job');
    const endpoint = at(monitor.data, 'spec.endpoints.0') as Data;
    t.ok((at(admin.data, 'spec.ports') as Data[]).some(({ name }) => name === endpoint.port));
    const secret = at(coalmine, 'env.0.valueFrom.secretKeyRef');
    t.strictSame(at(endpoint, 'authorization.credentials'), secret, 'with the same token');
  });

  t.test(`${folder}: nothing may do more than it must`, async (t) => {
    t.match(pod, {
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    });
    for (const container of containers) {
      t.match(container.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      t.ok(at(container, 'resources.requests.memory') && at(container, 'resources.limits.memory'));
      t.equal(at(container, 'resources.limits.cpu'), undefined, 'throttling is latency');
    }
    for (const key of ['hostNetwork', 'hostPID', 'hostIPC']) t.equal(pod[key], undefined);
  });

  t.test(`${folder}: probes, config and drain fit what Coalmine does`, async (t) => {
    const config = compiled(read(folder, 'coalmine.yaml'), { env: ENV });
    const probes = { startupProbe: '/healthz', livenessProbe: '/healthz', readinessProbe: '/readyz' };
    for (const [probe, asked] of Object.entries(probes)) {
      t.strictSame(at(coalmine, `${probe}.httpGet`), { path: asked, port: 'admin' }, probe);
    }
    t.equal(config.listener.port, ports.get('http'));
    t.equal(config.admin.port, ports.get('admin'));
    const { delayMs, timeoutMs } = config.listener.drain;
    const graceMs = (pod.terminationGracePeriodSeconds as number) * 1_000;
    t.ok(graceMs >= delayMs + timeoutMs + 3_000, 'the last notifications have time too');
    const readyMs =
      (at(coalmine, 'readinessProbe.periodSeconds') as number) *
      (at(coalmine, 'readinessProbe.failureThreshold') as number) *
      1_000;
    t.ok(readyMs < delayMs, 'it is seen to be unready before it stops listening');
    const mounts = coalmine.volumeMounts as readonly Data[];
    const [mount] = mounts.filter(({ mountPath }) => mountPath === '/etc/coalmine') as [Data];
    t.strictSame(
      mount,
      { name: 'config', mountPath: '/etc/coalmine', readOnly: true },
      'a folder, no subPath',
    );
    const volumes = pod.volumes as readonly Data[];
    t.strictSame(mounts.map(({ name }) => name).sort(), volumes.map(({ name }) => name).sort());
    const [generator] = kustomization(folder).generators;
    t.equal(
      at(
        volumes.find(({ name }) => name === 'config'),
        'configMap.name',
      ),
      generator?.name,
    );
    t.strictSame(at(coalmine, 'env.1'), { name: 'COALMINE_STATE_DIR', value: '/var/lib/coalmine' });
    t.ok(mounts.some(({ mountPath }) => mountPath === '/var/lib/coalmine'));
  });

  t.test(`${folder}: a rollout has one gateway and a state that lasts`, async (t) => {
    const config = compiled(read(folder, 'coalmine.yaml'), { env: ENV });
    const state = (pod.volumes as Data[]).find(({ name }) => name === 'state');
    if (config.rollouts.length === 0) {
      t.ok(state?.emptyDir !== undefined, 'nothing is to last');
      return;
    }
    t.match(deployment.data.spec, { replicas: 1, strategy: { type: 'Recreate' } });
    const claim = at(state, 'persistentVolumeClaim.claimName');
    t.ok(
      manifests.some(({ kind, name }) => kind === 'PersistentVolumeClaim' && name === claim),
      String(claim),
    );
  });
}

t.test('the model beside a sidecar ends after it', async (t) => {
  const [deployment] = manifestsOf(kustomization('sidecar')) as [Manifest];
  const pod = at(deployment.data, 'spec.template.spec') as Data;
  const [model] = pod.containers as [Data];
  const { listener, split } = compiled(read('sidecar', 'coalmine.yaml'), { env: ENV });
  const sleepS = at(model, 'lifecycle.preStop.sleep.seconds') as number;
  t.ok(sleepS * 1_000 > listener.drain.delayMs + listener.drain.timeoutMs);
  t.ok(sleepS < (pod.terminationGracePeriodSeconds as number));
  const [stable] = split.services[0]?.versions ?? [];
  t.strictSame(stable?.upstream.endpoints, [`http://127.0.0.1:${at(model, 'ports.0.containerPort')}`]);
});
