import { type ForcedRule, readCanaryAsk } from './canary.ts';
import type { Cursor } from './cursor.ts';
import { tellLost } from './fields.ts';
import type { Manifest } from './read.ts';
import type { Out, Sheet } from './sheet.ts';
import { readAnalysis, readSteps, type StepReader } from './steps.ts';
import { ROLLOUT } from './tables/rollout.ts';
import type { TemplateUse } from './templates.ts';

/** What a Rollout says that means something here. */
export interface RolloutFacts {
  readonly manifest: Manifest;
  readonly canaryAt: Cursor;
  /** The pods' `app` label, which their metrics carry; null: none. */
  readonly appLabel: string | null;
  /** What the pods run; the text changes with a new version. Null: not in the manifest. */
  readonly image: string | null;
  readonly stableService: string | null;
  readonly canaryService: string | null;
  /** Ingresses that lead to it. */
  readonly stableIngresses: readonly string[];
  /** From the annotations that Argo would put on the canary Ingress that it makes. */
  readonly rules: readonly ForcedRule[];
  readonly rollout: Out;
  readonly uses: readonly TemplateUse[];
}

/** Null where there is nothing to go on with, which is reported. */
export function readRollout(manifest: Manifest, sheet: Sheet, variables: Set<string>): RolloutFacts | null {
  const spec = manifest.root.get('spec');
  const at = spec.get('strategy', 'canary');
  tellLost(manifest.root, ROLLOUT);
  if (spec.get('strategy', 'blueGreen').present) {
    spec
      .get('strategy', 'blueGreen')
      .fail(
        'blue-green cannot be carried over; write it as a canary with the steps `pause: {}` and `setWeight: 100`',
      );
    return null;
  }
  if (spec.get('strategy', 'canary').value === undefined) {
    spec.fail('has no strategy.canary');
    return null;
  }
  const uses: TemplateUse[] = [];
  const maxWeight = at.get('trafficRouting', 'maxTrafficWeight').integer() ?? 100;
  const reader = { sheet, rollout: manifest, variables, maxWeight: Math.max(1, maxWeight), uses };
  const nginx = at.get('trafficRouting', 'nginx');
  const [stable, canary] = servicesOf(at);
  return {
    manifest,
    canaryAt: at,
    appLabel: appLabelOf(spec),
    image: imageOf(spec),
    stableService: stable,
    canaryService: canary,
    stableIngresses: [nginx.get('stableIngress'), ...nginx.get('stableIngresses').items()].flatMap(
      (one) => one.text() ?? [],
    ),
    rules: ['additionalIngressAnnotations', 'canaryIngressAnnotations'].flatMap((list) =>
      annotationRules(nginx.get(list)),
    ),
    rollout: readSpec(spec, at, reader),
    uses,
  };
}

function servicesOf(at: Cursor): [string | null, string | null] {
  const pingPong = at.get('pingPong');
  if (!pingPong.present) return [at.get('stableService').text(), at.get('canaryService').text()];
  pingPong.note(
    'the services swap roles with every rollout in Argo; here ping is stable and pong the canary',
  );
  return [pingPong.get('pingService').text(), pingPong.get('pongService').text()];
}

function appLabelOf(spec: Cursor): string | null {
  const label = spec.get('template', 'metadata', 'labels', 'app');
  const selected = spec.get('selector', 'matchLabels', 'app');
  for (const { value } of [label, selected]) if (typeof value === 'string') return value;
  return null;
}

function imageOf(spec: Cursor): string | null {
  const { value } = spec.get('template', 'spec', 'containers', 0, 'image');
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Argo puts the prefix before these names itself; the weight is its own matter. */
function annotationRules(at: Cursor): readonly ForcedRule[] {
  const known = /^canary-by-(header|header-value|header-pattern|cookie)$/;
  for (const [name, child] of at.children()) {
    if (!known.test(name)) child.note('not carried over: a setting of the Ingress that Argo makes');
  }
  return readCanaryAsk(at, '').rules;
}

function readSpec(spec: Cursor, at: Cursor, reader: StepReader): Out {
  const { sheet } = reader;
  const steps = readSteps(at.get('steps'), reader);
  const background = at.get('analysis');
  const routes = at.get('trafficRouting', 'managedRoutes');
  const seconds = spec.get('progressDeadlineSeconds').integer();
  const revisions = spec.get('rollbackWindow', 'revisions').integer();
  const rollout = sheet.map(
    {
      steps: steps.length === 0 ? [sheet.map({ setWeight: 100 })] : steps,
      analysis: background.present ? readAnalysis(background, reader) : undefined,
      progressDeadline: seconds === null ? undefined : `${seconds}s`,
      progressDeadlineAbort: spec.get('progressDeadlineAbort').flag() ?? undefined,
      rollbackWindow: revisions === null ? undefined : sheet.flow({ revisions }, spec.get('rollbackWindow')),
      managedRoutes: routes.present ? readRoutes(routes, sheet) : undefined,
    },
    at,
  );
  if (steps.length === 0) {
    at.note(
      'has no steps: Argo replaces the pods at once, and so the config gives everyone the canary at once',
    );
  }
  return rollout;
}

function readRoutes(at: Cursor, sheet: Sheet): unknown[] {
  return at.items().map((one) => sheet.copy(one.get('name')));
}
