import type { ExperimentView } from '../../../admin/contract.ts';
import { count, duration, evidence, moment } from '../../format.ts';
import { experimentHead } from '../../logic/experiment.ts';
import { sentence, type Tone } from '../../logic/standing.ts';
import { ToneIcon } from '../icons.tsx';
import type { Scene } from '../scene.ts';
import { Section } from '../section.tsx';
import { Bands } from './bands.tsx';
import { Variants } from './variants.tsx';

export function ExperimentPage({ scene }: { readonly scene: Scene }) {
  const { experiment, experimentTimeline } = scene.focus;
  if (experiment === null) {
    return (
      <p class="empty">
        {scene.detail === null ? 'Waiting for the gateway…' : 'This service has no experiment.'}
      </p>
    );
  }
  return (
    <>
      <Verdict experiment={experiment} nowMs={scene.nowMs} />
      <Section
        id="bands"
        title="Over time"
        note={<p class="muted">the lines are what was found, the bands what is not excluded</p>}
      >
        {experimentTimeline === null || experimentTimeline.atMs.length < 2 ? (
          <p class="empty">Waiting for the first intervals…</p>
        ) : (
          <Bands timeline={experimentTimeline} slots={scene.slots} />
        )}
      </Section>
      <Section id="variants" title="Variants" note={<p class="muted">{`by ${experiment.kpi}`}</p>}>
        <Variants experiment={experiment} slots={scene.slots} nowMs={scene.nowMs} />
      </Section>
      <Trust experiment={experiment} />
    </>
  );
}

const TONES: Readonly<Record<ExperimentView['state'], Tone>> = {
  winner: 'good',
  equivalent: 'good',
  continue: 'calm',
  error: 'watch',
  idle: 'unknown',
};

function Verdict({ experiment, nowMs }: { readonly experiment: ExperimentView; readonly nowMs: number }) {
  const { state, text, remainingMs, elapsedMs, began, alpha, kpi } = experiment;
  const tone = TONES[state];
  return (
    <div class={`hero hero-${tone} hero-experiment`}>
      <section class="answer" aria-labelledby="verdict-title">
        <h2 id="verdict-title">Which is better for {kpi}?</h2>
        <p class={`answer-head tone-${tone}`} role="status">
          <ToneIcon tone={tone} size={20} />
          {experimentHead(experiment)}
        </p>
        <p class="answer-text">
          {sentence(
            text,
            experiment.variants.map(({ name }) => name),
          )}
        </p>
      </section>
      <section class="answer" aria-labelledby="remaining-title">
        <h2 id="remaining-title">How long still</h2>
        <p class="countdown num">
          {remainingMs === 0 ? 'Done' : remainingMs === null ? '–' : `about ${duration(remainingMs)}`}
        </p>
        <p class="answer-text">
          {remainingMs === null ? 'Not foreseeable from what was counted so far. ' : ''}
          Runs since {moment(Date.parse(began), nowMs)}, for {duration(elapsedMs)}.
        </p>
        <p class="remark muted">At most {count(alpha * 100)} in 100 such tests say anything wrong.</p>
      </section>
    </div>
  );
}

function Trust({ experiment: { sampleRatio, problems } }: { readonly experiment: ExperimentView }) {
  if (sampleRatio === null && problems.length === 0) return null;
  const off = (sampleRatio?.share ?? 0) >= 1;
  return (
    <Section
      id="trust"
      title="Can it be believed"
      note={
        <p class={problems.length > 0 || off ? 'tone-watch' : 'muted'}>
          {problems.length > 0 || off ? 'no' : 'nothing speaks against it'}
        </p>
      }
    >
      {sampleRatio === null ? null : (
        <p>
          Sample ratio: evidence that users are not dealt as the weights say{' '}
          <span class="num strong">{evidence(sampleRatio.evidence)}</span>
          <span class="muted num"> of {evidence(sampleRatio.needed)} that would stop it.</span>
        </p>
      )}
      <ul class="notes">
        {problems.map((problem) => (
          <li key={problem} class="tone-watch">
            <ToneIcon tone="watch" size={13} /> {sentence(problem)}
          </li>
        ))}
      </ul>
    </Section>
  );
}
