import { readArgs } from './args.ts';
import type { Cursor } from './cursor.ts';
import { durationOf } from './durations.ts';
import { tellLost } from './fields.ts';
import type { Manifest } from './read.ts';
import { type Out, plain, type Sheet } from './sheet.ts';
import { ANALYSIS } from './tables/analysis.ts';

/** An analysis template as it goes into the config. */
export interface TemplateFacts {
  readonly manifest: Manifest;
  readonly isCluster: boolean;
  readonly spec: Out;
  /** Templates that it names itself. */
  readonly uses: readonly TemplateUse[];
}

/** A template's name as some manifest names it. */
export interface TemplateUse {
  readonly name: string;
  readonly isCluster: boolean;
  readonly at: Cursor;
  /** Writes the name that the template has in the config. */
  readonly set: (name: string) => void;
}

export function readTemplate(manifest: Manifest, sheet: Sheet, variables: Set<string>): TemplateFacts {
  const { root } = manifest;
  tellLost(root, ANALYSIS);
  const at = root.get('spec');
  if (!at.get('metrics').present && !at.get('templates').present) at.fail('has no metrics');
  const { uses, list } = readTemplateRefs(at.get('templates'), sheet, 'mapping');
  const metrics = at
    .get('metrics')
    .items()
    .map((metric) => readMetric(metric, sheet, variables));
  const spec = sheet.map(
    {
      args: readArgs(at.get('args'), { sheet, rollout: null, variables }),
      templates: list,
      metrics: metrics.length === 0 ? undefined : metrics,
      dryRun: sheet.copy(at.get('dryRun')),
      measurementRetention: sheet.copy(at.get('measurementRetention')),
    },
    at,
  );
  return { manifest, isCluster: manifest.kind === 'ClusterAnalysisTemplate', spec, uses };
}

/** Templates by name, as the config lists them: names alone, or mappings as in Argo. */
export function readTemplateRefs(
  at: Cursor,
  sheet: Sheet,
  form: 'name' | 'mapping',
): { uses: TemplateUse[]; list: unknown[] | undefined } {
  const uses: TemplateUse[] = [];
  if (!at.present) return { uses, list: undefined };
  const list: unknown[] = [];
  for (const item of at.items()) {
    const name = item.get('templateName').text();
    if (name === null) {
      if (!item.get('templateName').present) item.fail('names no template: templateName is missing');
      continue;
    }
    const i = list.length;
    const made: Out = form === 'name' ? {} : sheet.flow({ templateName: name }, item);
    list.push(form === 'name' ? name : made);
    const set = (text: string) => {
      if (form === 'name') list[i] = text;
      else made.templateName = text;
    };
    uses.push({ name, isCluster: item.get('clusterScope').flag() === true, at: item, set });
  }
  return { uses, list };
}

const LIMITS = [
  'failureLimit',
  'inconclusiveLimit',
  'consecutiveErrorLimit',
  'consecutiveSuccessLimit',
] as const;

function readMetric(at: Cursor, sheet: Sheet, variables: Set<string>): Out {
  const limits = LIMITS.map((name) => [name, numberOrArg(at.get(name))] as const);
  return sheet.map(
    {
      name: textOf(at.get('name')),
      interval: durationOf(at.get('interval')),
      initialDelay: durationOf(at.get('initialDelay')),
      count: numberOrArg(at.get('count')),
      successCondition: textOf(at.get('successCondition')),
      failureCondition: textOf(at.get('failureCondition')),
      ...Object.fromEntries(limits),
      provider: readProvider(at.get('provider'), sheet, variables),
    },
    at,
  );
}

/** Argo takes a number, its digits as text, or an argument. */
function numberOrArg(at: Cursor): unknown {
  if (typeof at.value === 'string' && at.value.includes('{{')) return plain(at.value);
  return at.integer() ?? undefined;
}

function textOf(at: Cursor): string | undefined {
  const text = at.text();
  return text === null ? undefined : plain(text);
}

function readProvider(at: Cursor, sheet: Sheet, variables: Set<string>): Out | undefined {
  const given = at.children();
  if (given.length !== 1) {
    at.fail(at.present ? 'must name exactly one provider' : 'is missing');
    return undefined;
  }
  const [kind, spec] = given[0] as readonly [string, Cursor];
  if (kind === 'prometheus') return sheet.map({ prometheus: readPrometheus(spec, sheet, variables) }, at);
  if (kind === 'web') return sheet.map({ web: readWeb(spec, sheet) }, at);
  spec.fail(
    `the provider ${kind} cannot be carried over: measure it with prometheus or web, with the coalmine provider after the import, or take the metric out`,
  );
  return undefined;
}

function readPrometheus(at: Cursor, sheet: Sheet, variables: Set<string>): Out {
  refuseAuthentication(at.get('authentication'), 'bearerTokenFile');
  const address = textOf(at.get('address'));
  if (address === undefined) {
    variables.add('PROMETHEUS_ADDRESS');
    at.note('without an address Argo asks PROMETHEUS_ADDRESS of its environment; so does the config: set it');
  }
  const query = at.get('query');
  noteForeignMetrics(query);
  const made = sheet.map(
    {
      address: address ?? `\${PROMETHEUS_ADDRESS}`,
      query: textOf(query),
      headers: sheet.copy(at.get('headers')),
      timeout: sheet.copy(at.get('timeout')),
      rangeQuery: sheet.copy(at.get('rangeQuery')),
    },
    at,
  );
  if (/\bhttp_request(s_total|_duration_seconds)/.test(String(query.value))) {
    const text = 'Coalmine exports these itself: let Prometheus scrape GET /metrics of its admin port.';
    sheet.comment(made, 'query', text);
  }
  return made;
}

/** Numbers that the router before us counted stand still when the traffic goes another way. */
function noteForeignMetrics(at: Cursor): void {
  const found = /\b(nginx_ingress_controller_|istio_|envoy_|traefik_|linkerd_)\w*/.exec(String(at.value));
  if (found === null) return;
  at.note(
    `reads ${found[0]}, which another router counts; Coalmine counts http_requests_total{app,version,method,status}`,
  );
}

function readWeb(at: Cursor, sheet: Sheet): Out {
  refuseAuthentication(at.get('authentication'), 'headers');
  const names = ['url', 'method', 'headers', 'body', 'jsonBody', 'jsonPath', 'timeoutSeconds'];
  return sheet.map(Object.fromEntries(names.map((name) => [name, sheet.copy(at.get(name))])), at);
}

function refuseAuthentication(at: Cursor, instead: string): void {
  if (at.children().some(([, method]) => method.children().length > 0)) {
    at.fail(`signing in this way cannot be carried over; take it out and use ${instead}`);
  }
}
