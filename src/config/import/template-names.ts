import type { RolloutFacts } from './rollout.ts';
import type { TemplateFacts, TemplateUse } from './templates.ts';

/**
 * Gives every template its name in the config, where there are no namespaces and
 * no scopes, and puts it wherever the template is named.
 */
export function nameTemplates(
  templates: readonly TemplateFacts[],
  rollouts: readonly RolloutFacts[],
): Map<string, TemplateFacts> {
  const named = new Map<string, TemplateFacts>();
  for (const template of templates.filter(({ isCluster }) => !isCluster)) {
    const { name } = template.manifest;
    const first = named.get(name);
    if (first === undefined) named.set(name, template);
    else tellTwice(first, template);
  }
  const clusterNames = new Map<string, string>();
  for (const template of templates.filter(({ isCluster }) => isCluster)) {
    const { name, root } = template.manifest;
    if (clusterNames.has(name)) {
      root.get('metadata', 'name').fail('stands twice among the files');
      continue;
    }
    const free = named.has(name) ? `cluster-${name}` : name;
    if (free !== name)
      root.get('metadata', 'name').note(`is called ${free}: an AnalysisTemplate has its name`);
    clusterNames.set(name, free);
    named.set(free, template);
  }
  const uses = [...templates, ...rollouts].flatMap((one) => one.uses);
  for (const use of uses) resolve(use, named, clusterNames);
  return named;
}

function tellTwice(first: TemplateFacts, second: TemplateFacts): void {
  second.manifest.root
    .get('metadata', 'name')
    .fail(`stands twice among the files (${first.manifest.root.get('metadata', 'name').place})`);
}

function resolve(
  use: TemplateUse,
  named: ReadonlyMap<string, TemplateFacts>,
  clusterNames: ReadonlyMap<string, string>,
): void {
  const name = use.isCluster ? clusterNames.get(use.name) : named.has(use.name) ? use.name : undefined;
  // A template that is only there with the other scope is surely the one that is meant.
  const found = name ?? clusterNames.get(use.name) ?? (named.has(use.name) ? use.name : undefined);
  if (found === undefined) use.at.fail(`the template ${use.name} is not among the files: give its file too`);
  else use.set(found);
}
