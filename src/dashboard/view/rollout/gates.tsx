import type { EstimateView, GateView, VerdictView } from '../../../admin/contract.ts';
import { count, duration, evidence, fraction, latency, NONE, plural, share } from '../../format.ts';
import { evidenceBar } from '../../logic/evidence.ts';
import { sentence } from '../../logic/standing.ts';
import { Icon, type IconName } from '../icons.tsx';
import type { Scene } from '../scene.ts';
import { Section } from '../section.tsx';

/** What each gate has found, and how far it is from deciding which way. */
export function Gates({ scene }: { readonly scene: Scene }) {
  const { rollout } = scene.focus;
  if (rollout === null || rollout.gates.length === 0) return null;
  const { gates, verdict } = rollout;
  const over = rollout.status !== 'stepping';
  return (
    <Section id="gates" title="Gates" note={<Summary gates={gates} verdict={verdict} over={over} />}>
      <div class="gate-heads" aria-hidden="true">
        <span />
        <span class="gate-ends">
          <span>
            <Icon name="back" size={12} /> towards taking it back
          </span>
          <span>
            towards passing <Icon name="pass" size={12} />
          </span>
        </span>
        <span>{scene.canary}</span>
        <span>{scene.stable}</span>
      </div>
      <ul class="gates">
        {gates.map((gate) => (
          <Gate key={gate.name} gate={gate} scene={scene} over={over || verdict?.state === 'FAIL'} />
        ))}
      </ul>
    </Section>
  );
}

function Summary({
  gates,
  verdict,
  over,
}: {
  readonly gates: readonly GateView[];
  readonly verdict: VerdictView | null;
  readonly over: boolean;
}) {
  const passed = gates.filter(({ state }) => state === 'PASS').length;
  const failed = gates.filter(({ state }) => state === 'FAIL').length;
  return (
    <>
      <p>
        {failed > 0 ? `${failed} of ${gates.length} failed` : `${passed} of ${gates.length} pass`}
        {over ? ', at the end' : ''}
      </p>
      {verdict === null ? null : (
        <p class="muted">
          Evidence of harm over all: <span class="num">{evidence(verdict.M)}</span> of{' '}
          <span class="num">{evidence(verdict.needed)}</span>
        </p>
      )}
      {verdict === null || over ? null : (
        <p class={verdict.holdRamp ? 'tone-watch' : 'muted'}>
          {sentence(verdict.ready ? `May grow: ${verdict.why}` : `Waits: ${verdict.why}`)}
        </p>
      )}
    </>
  );
}

const ICONS: Readonly<Record<GateView['state'], IconName>> = {
  PASS: 'pass',
  FAIL: 'fail',
  CONTINUE: 'wait',
  ERROR: 'unknown',
};
const WORDS: Readonly<Record<GateView['state'], string>> = {
  PASS: 'passes',
  FAIL: 'failed',
  CONTINUE: 'not decided',
  ERROR: 'cannot be told',
};
/** What is estimated: a gate's name may be of the opposite. */
const WHAT: Readonly<Record<GateView['unit'], string>> = {
  failures: 'share that fails',
  ms: 'latency',
  totalVariation: 'classes that differ',
  mean: 'mean confidence',
  disagreements: 'answers that differ',
  conversions: 'conversions',
};

function Gate({
  gate,
  scene,
  over,
}: {
  readonly gate: GateView;
  readonly scene: Scene;
  readonly over: boolean;
}) {
  const { name, state, unit, canary, stable, environment, text } = gate;
  return (
    <li class={`gate gate-${state.toLowerCase()}`}>
      <div class="gate-name">
        <h3>
          <Icon name={ICONS[state]} size={14} />
          {name}
        </h3>
        <p class="gate-state">
          {WORDS[state]}
          {environment ? '; stable is beyond it too' : ''}
        </p>
      </div>
      <Bar gate={gate} over={over} />
      <Estimate unit={unit} who={scene.canary} estimate={canary} why={needText(gate, scene, over)} />
      <Estimate unit={unit} who={scene.stable} estimate={stable} why="" />
      <p class="gate-text muted">
        {WHAT[unit]}; {text}
      </p>
    </li>
  );
}

function Bar({ gate, over }: { readonly gate: GateView; readonly over: boolean }) {
  const bar = evidenceBar(gate);
  const { harm, pass, samples, state } = gate;
  return (
    <div class="gate-evidence">
      <div class="evidence" aria-hidden="true">
        <div class="evidence-half evidence-harm">
          <div style={{ width: `${(bar.harm * 100).toFixed(1)}%` }} />
        </div>
        <div class="evidence-half evidence-pass">
          <div style={{ width: `${(bar.pass * 100).toFixed(1)}%` }} />
        </div>
      </div>
      <p class="evidence-text num">
        <span title={`evidence of harm ${evidence(harm.evidence)}; ${evidence(harm.needed)} take it back`}>
          harm {evidence(harm.evidence)} of {evidence(harm.needed)}
        </span>
        <span class="evidence-when">
          {over ? samplesText(samples) : whenText(state, samples, gate.decisionInMs)}
        </span>
        <span title={`evidence for passing ${evidence(pass.evidence)}; ${evidence(pass.needed)} pass it`}>
          pass {evidence(pass.evidence)} of {evidence(pass.needed)}
        </span>
      </p>
    </div>
  );
}

function whenText(
  state: GateView['state'],
  samples: GateView['samples'],
  decisionInMs: number | null,
): string {
  if (state === 'PASS' || state === 'FAIL') return samplesText(samples);
  if (decisionInMs !== null && decisionInMs > 0) return `about ${duration(decisionInMs)} left`;
  return samples.need === null ? 'no decision in sight' : 'waiting for samples';
}

function samplesText({ have }: GateView['samples']): string {
  return plural(have, 'sample');
}

/** Why a number is missing: what it would take. */
function needText(
  { samples: { have, need }, decisionInMs, state }: GateView,
  { canary }: Scene,
  over: boolean,
): string {
  if (over || state === 'PASS' || state === 'FAIL') return '';
  if (need === null || need <= have) return have === 0 ? `no sample of ${canary} yet` : '';
  const when = decisionInMs === null ? '' : `; ${duration(decisionInMs)} at this traffic`;
  return `needs about ${count(need - have)} more samples of ${canary}${when}`;
}

function Estimate({
  unit,
  who,
  estimate,
  why,
}: {
  readonly unit: GateView['unit'];
  readonly who: string;
  readonly estimate: EstimateView | null;
  readonly why: string;
}) {
  return (
    <div class="estimate">
      <p class="num">
        <span class="estimate-who">{who}</span>
        <strong>{estimate === null ? NONE : valueText(unit, estimate.value)}</strong>{' '}
        {estimate === null || estimate.value === null ? null : (
          <span class="muted">
            {valueText(unit, estimate.low)} to {valueText(unit, estimate.high)}
          </span>
        )}
      </p>
      {why === '' ? null : <p class="muted estimate-why">{why}</p>}
    </div>
  );
}

function valueText(unit: GateView['unit'], value: number | null): string {
  if (unit === 'ms') return latency(value);
  return unit === 'mean' ? fraction(value) : share(value);
}
