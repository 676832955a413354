import type { ServiceJudge } from '../../core/judge/service.ts';
import type { RolloutView, VerdictView } from '../rollouts/views.ts';
import type { JudgedView } from './view.ts';

/** The verdict for controllers that move the traffic, or the pods, themselves. */

export interface VerdictReport extends JudgedView {
  readonly service: string;
  /** Of the rollout that is judged; null: the service has no rollout. */
  readonly number: number | null;
  /** Null as above. */
  readonly status: RolloutView['status'] | null;
  /** Steps after the one under way, 0 once it is completed; null: it does not step. */
  readonly stepsLeft: number | null;
  /** Null: there is none to judge. */
  readonly canary: string | null;
  /** Of the canary, as the config in force has it; null: it has none. */
  readonly revision: string | null;
  /** One word for other controllers; `none`: nothing was judged that the question is about. */
  readonly result: 'pass' | 'continue' | 'fail' | 'error' | 'none';
  /** Why, in plain words. */
  readonly text: string;
}

/** What may be asked: may the share grow, may everyone get the canary, must it be taken back? */
export const GATE_ASKS = ['advance', 'promote', 'rollback'] as const;
export type GateAsk = (typeof GATE_ASKS)[number];

export interface ReportFacts {
  readonly service: string;
  readonly canary: string | null;
  readonly judge: Pick<ServiceJudge, 'plan' | 'revisions'> | null;
  readonly rollout: Pick<RolloutView, 'number' | 'status' | 'message' | 'step' | 'steps'> | null;
  readonly judged: JudgedView;
  /** The revision that the question is about; null: whichever is there. */
  readonly revision: string | null;
}

export function reportOf(facts: ReportFacts): VerdictReport {
  const { service, canary, judge, rollout, judged } = facts;
  const revision = canary === null ? null : (judge?.revisions[canary] ?? null);
  return {
    service,
    number: rollout?.number ?? null,
    status: rollout?.status ?? null,
    stepsLeft: stepsLeft(rollout),
    canary,
    revision,
    ...(unjudged(facts, revision) ?? taken(rollout) ?? said(service, judged.verdict)),
    verdict: judged.verdict,
    gates: judged.gates,
  };
}

/** Whether a question is answered with yes, and in any case why. No evidence is never a yes. */
export function answerAsk(
  report: VerdictReport,
  ask: GateAsk,
): { readonly yes: boolean; readonly why: string } {
  const { result, status, stepsLeft: left, verdict, text } = report;
  // An undone one is over: the next release would be taken back before it has begun.
  if (ask === 'rollback') return { yes: result === 'fail' && status !== 'undone', why: text };
  if (ask === 'promote' || status === 'completed') {
    const ahead = left !== null && left > 0;
    const why = ahead ? `${left} steps of the rollout are still to come; ${text}` : text;
    return { yes: result === 'pass' && !ahead, why };
  }
  const undecided = result === 'pass' || result === 'continue';
  return undecided && verdict !== null ? { yes: verdict.ready, why: verdict.why } : { yes: false, why: text };
}

function stepsLeft(rollout: ReportFacts['rollout']): number | null {
  if (rollout?.status === 'completed') return 0;
  if (rollout?.status !== 'stepping') return null;
  return rollout.steps.length - 1 - (rollout.step ?? -1);
}

type Said = Pick<VerdictReport, 'result' | 'text'>;

/** What was judged before, or of another revision, answers no question of today. */
function unjudged(
  { service, judge, rollout, revision: asked }: ReportFacts,
  own: string | null,
): Said | null {
  if (judge === null || judge.plan.gates.length === 0) return none(`${service} has no gates`);
  if (asked !== null && asked !== own) {
    return none(`the canary's revision is ${own === null ? 'not in the config' : own}, not ${asked}`);
  }
  if (rollout?.status === 'idle' || rollout?.status === 'starting') return none(rollout.message);
  return null;
}

/** A canary that was taken back has failed, whoever did it. */
function taken(rollout: ReportFacts['rollout']): Said | null {
  switch (rollout?.status) {
    case 'aborted':
    case 'undone':
      return { result: 'fail', text: rollout.message };
    case 'blocked':
      return { result: 'error', text: rollout.message };
    default:
      return null;
  }
}

const RESULTS = { PASS: 'pass', CONTINUE: 'continue', FAIL: 'fail', ERROR: 'error' } as const;

function said(service: string, verdict: VerdictView | null): Said {
  if (verdict === null) return none(`nothing of ${service} was judged yet`);
  return { result: RESULTS[verdict.state], text: verdict.text };
}

function none(text: string): Said {
  return { result: 'none', text };
}
