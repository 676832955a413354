import type { Judged } from '../arms.ts';
import type { JudgePlan } from './gates.ts';

/** What is judged of one service, as its config says it. Plain data. */
export interface ServiceJudge {
  readonly service: string;
  /** Its gates; none where answers are only read, or an experiment has no guardrails. */
  readonly plan: JudgePlan;
  /**
   * What the data path counts for it. `canary` is -1 while there is none, as between
   * two rollouts; of several, the first one.
   */
  readonly judged: Omit<Judged, 'rule'>;
  /** Where scores lie, and so what their bins stand for. */
  readonly scoreRange: readonly [number, number];
  readonly experiment: ExperimentPlan | null;
  /** What is deployed as each version, by its name, where the config says so. */
  readonly revisions: Readonly<Record<string, string>>;
}

/** An A/B test on a KPI: long-running, at constant shares. */
export interface ExperimentPlan {
  readonly kpi: string;
  /** Greatest probability of any wrong conclusion, for the whole experiment and all pairs of variants. */
  readonly alpha: number;
  /** Versions by name: stable first, the others are compared with it. */
  readonly variants: readonly string[];
}
