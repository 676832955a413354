import type { RolloutView } from '../../../admin/contract.ts';
import { countdown, duration, weight } from '../../format.ts';
import { offersOf } from '../../logic/offers.ts';
import { slotOf } from '../../logic/slots.ts';
import { decisionInMs, harmOf, nextOf, type Statement } from '../../logic/standing.ts';
import { pauseShare } from '../../logic/steps.ts';
import { leftMs } from '../../state/model.ts';
import { OfferButton } from '../actions.tsx';
import { Swatch, ToneIcon } from '../icons.tsx';
import type { Scene } from '../scene.ts';
import { SplitBar } from '../split-bar.tsx';

/** The four answers: who serves whom, is it harmful, what comes, and how to take it back. */
export function Hero({ scene }: { readonly scene: Scene }) {
  const { rollout } = scene.focus;
  const harm = rollout === null ? NO_ROLLOUT : harmOf(rollout);
  return (
    <div class={`hero hero-${harm.tone}`}>
      <Serves scene={scene} />
      <section class="answer answer-harm" aria-labelledby="harm-title">
        <h2 id="harm-title">Is {scene.canary === '' ? 'it' : scene.canary} harming anyone?</h2>
        <p class={`answer-head tone-${harm.tone}`}>
          <ToneIcon tone={harm.tone} size={20} />
          {harm.head}
        </p>
        {harm.text === '' ? null : <p class="answer-text">{harm.text}</p>}
        {rollout === null ? null : <Around rollout={rollout} />}
      </section>
      <section class="answer answer-next" aria-labelledby="next-title">
        <h2 id="next-title">What happens next</h2>
        {rollout === null ? (
          <p class="answer-head">Nothing by itself</p>
        ) : (
          <Next scene={scene} rollout={rollout} />
        )}
      </section>
      {rollout === null ? null : <Buttons scene={scene} rollout={rollout} />}
      {rollout === null ? null : <Announcement rollout={rollout} harm={harm} />}
    </div>
  );
}

const NO_ROLLOUT: Statement = {
  tone: 'calm',
  head: 'Nothing is rolled out',
  text: 'This service has no rollout in its config.',
};

function Serves({ scene: { overview, focus, slots } }: { readonly scene: Scene }) {
  const { rollout, detail } = focus;
  const versions = overview?.versions ?? detail?.versions ?? [];
  const mirror = detail?.mirror ?? null;
  return (
    <section class="answer answer-serves" aria-labelledby="serves-title">
      <h2 id="serves-title">Who serves whom</h2>
      <SplitBar portions={versions} slots={slots} tall />
      <ul class="serves num">
        {versions
          .filter(({ role, weight: w }) => w > 0 || role !== 'idle')
          .map(({ name, role, weight: percent }) => (
            <li key={name}>
              <Swatch slot={slotOf(slots, name)} />
              <span class="serves-name">{name}</span>
              <span class="serves-weight">{weight(percent)}</span>
              <span class="muted">{role}</span>
            </li>
          ))}
      </ul>
      {mirror !== null && mirror.percent > 0 ? (
        <p class="remark muted">
          {weight(mirror.percent)} of requests copied to {mirror.to}; nobody gets those answers
        </p>
      ) : null}
      {rollout?.scope == null ? null : <p class="remark">The weight counts for {rollout.scope} only.</p>}
      {overview?.weightSetByHand ? <p class="remark muted">The weight was set by hand.</p> : null}
    </section>
  );
}

/** Both versions are beyond a threshold: not the canary's fault. */
function Around({ rollout: { gates, status } }: { readonly rollout: RolloutView }) {
  const names =
    status === 'stepping' ? gates.filter(({ environment }) => environment).map(({ name }) => name) : [];
  if (names.length === 0) return null;
  return (
    <p class="remark tone-watch">{names.join(', ')}: stable is beyond it too, so the fault is around them.</p>
  );
}

function Next({ scene, rollout }: { readonly scene: Scene; readonly rollout: RolloutView }) {
  const { step, steps, hold } = rollout;
  const left = leftMs(scene.focus, scene.nowMs);
  const next = nextOf(rollout, left);
  const done = left === null ? null : pauseShare(rollout, steps[step ?? -1]?.text ?? '', left);
  const decides = rollout.status === 'stepping' ? decisionInMs(rollout) : null;
  return (
    <>
      {left === null ? null : (
        <p class={hold === null ? 'countdown num' : 'countdown countdown-held num'}>
          {countdown(left)}
          <span class="countdown-unit">{hold === null ? 'to the next step' : 'but held'}</span>
        </p>
      )}
      {done === null ? null : (
        <div class="progress" aria-hidden="true">
          <div style={{ width: `${(done * 100).toFixed(1)}%` }} />
        </div>
      )}
      {next.head === '' ? null : (
        <p class={`answer-head tone-${next.tone}`}>
          {next.tone === 'watch' ? <ToneIcon tone="watch" size={20} /> : null}
          {next.head}
        </p>
      )}
      <p class="answer-text">{next.text}</p>
      {decides === null ? null : (
        <p class="remark muted">The gates decide in about {duration(decides)} at this traffic.</p>
      )}
    </>
  );
}

function Buttons({ scene, rollout }: { readonly scene: Scene; readonly rollout: RolloutView }) {
  const [first, ...rest] = offersOf(rollout);
  const isBack = first?.kind === 'back';
  return (
    <section class="answer answer-act" aria-labelledby="act-title">
      <h2 id="act-title">{isBack ? 'Take it back' : 'What you can do'}</h2>
      {first === undefined ? <p class="answer-text">{`Nothing here: ${rollout.message}`}</p> : null}
      {first === undefined ? null : (
        <div class="act-first">
          <OfferButton session={scene.session} service={rollout.service} offer={first} />
          {isBack ? <p class="remark muted">{rollout.stable} serves everyone at once</p> : null}
        </div>
      )}
      {rest.length === 0 ? null : (
        <div class="act-rest">
          {rest.map((offer) => (
            <OfferButton
              key={offer.label}
              session={scene.session}
              service={rollout.service}
              offer={offer}
              compact
            />
          ))}
        </div>
      )}
    </section>
  );
}

/** For those who do not see it change; only what matters, and only when it changes. */
function Announcement({ rollout, harm }: { readonly rollout: RolloutView; readonly harm: Statement }) {
  const { canary, weight: percent, step, steps, phase } = rollout;
  const place = step === null ? phase : `step ${Math.min(step + 1, steps.length)} of ${steps.length}`;
  return (
    <p class="sr" role="status">
      {`${canary} at ${weight(percent)}, ${place}. ${harm.head}.`}
    </p>
  );
}
