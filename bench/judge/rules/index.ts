import type { Scenario } from '../scenarios.ts';
import { ArgoRule } from './argo.ts';
import { FlaggerRule } from './flagger.ts';
import { KayentaRule } from './kayenta.ts';
import { OurRule } from './ours.ts';
import type { Rule } from './rule.ts';
import { ZTestRule } from './z-test.ts';

export const RULES = ['coalmine', 'argo 1m', 'argo 5m', 'flagger', 'kayenta', 'z .05', 'z .01'] as const;
export type RuleName = (typeof RULES)[number];

/** A fresh watcher for one rollout; null: the rule has no way to see what this scenario is about. */
export function makeRule(name: RuleName, scenario: Scenario, skipEmpty: boolean): Rule | null {
  const { metrics, gates } = scenario;
  switch (name) {
    case 'coalmine':
      return new OurRule(gates);
    case 'argo 1m':
      return new ArgoRule(metrics, 1, skipEmpty);
    case 'argo 5m':
      return new ArgoRule(metrics, 5, skipEmpty);
    case 'flagger':
      return new FlaggerRule(metrics, skipEmpty);
    case 'kayenta':
      return metrics.some(({ series }) => series !== null) ? new KayentaRule(metrics) : null;
    case 'z .05':
    case 'z .01':
      return metrics.some(({ count }) => count !== null)
        ? new ZTestRule(metrics, name === 'z .05' ? 0.05 : 0.01)
        : null;
  }
}
