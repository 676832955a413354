import { useEffect } from 'preact/hooks';
import type { RolloutView } from '../../../admin/contract.ts';
import { countdown, weight } from '../../format.ts';
import { pauseShare, stepLabel, type Track, type Tread, trackOf } from '../../logic/steps.ts';
import { leftMs } from '../../state/model.ts';
import { Icon } from '../icons.tsx';
import type { Scene } from '../scene.ts';
import { useScrollable } from '../scroll.tsx';
import { Section } from '../section.tsx';

/** The rollout as a flight of stairs: each tread as high as its weight, with the steps taken on it. */
export function TrackSection({ scene }: { readonly scene: Scene }) {
  const { rollout, history } = scene.focus;
  if (rollout === null || rollout.steps.length === 0) return null;
  const track = trackOf(rollout, history);
  return (
    <Section id="track" title="Steps" note={noteOf(rollout, track)}>
      <Stairs scene={scene} rollout={rollout} track={track} />
    </Section>
  );
}

function noteOf({ status, step, steps, number, userPaused }: RolloutView, { stopped }: Track): string {
  const which = number === 0 ? '' : `, rollout ${number}`;
  if (stopped !== null)
    return `taken back at step ${Math.min(stopped + 1, steps.length)} of ${steps.length}${which}`;
  if (status === 'completed') return `all ${steps.length} steps done${which}`;
  if (step === null) return `${steps.length} steps, none begun`;
  return `step ${Math.min(step + 1, steps.length)} of ${steps.length}${userPaused ? ', paused' : ''}${which}`;
}

interface StairsProps {
  readonly scene: Scene;
  readonly rollout: RolloutView;
  readonly track: Track;
}

function Stairs({ scene, rollout, track }: StairsProps) {
  const list = useScrollable<HTMLOListElement>();
  const at = track.treads.findIndex(({ state }) => state === 'current');
  useEffect(() => {
    const box = list.current;
    const here = box?.children[at];
    if (box == null || !(here instanceof HTMLElement) || box.scrollWidth <= box.clientWidth) return;
    box.scrollTo({ left: here.offsetLeft - box.offsetLeft - box.clientWidth / 3 });
  }, [at]);
  return (
    <ol class={`stairs stairs-${rollout.status}`} ref={list} aria-label="Steps of the rollout">
      {track.treads.map((tread, i) => (
        <TreadItem key={i} scene={scene} rollout={rollout} tread={tread} stopped={track.stopped} />
      ))}
    </ol>
  );
}

const STATE_WORDS: Readonly<Record<Tread['state'], string>> = {
  done: 'done',
  current: 'now',
  pending: 'to come',
};

function stateWord({ state, steps }: Tread, stopped: number | null): string {
  if (stopped === null) return STATE_WORDS[state];
  if (steps.some(({ index }) => index === stopped)) return 'taken back here';
  return (steps[0]?.index ?? Number.POSITIVE_INFINITY) < stopped ? 'was passed' : 'not reached';
}

function TreadItem({
  scene,
  rollout,
  tread,
  stopped,
}: Omit<StairsProps, 'track'> & { readonly tread: Tread; readonly stopped: number | null }) {
  const { state, weight: percent, scope, steps } = tread;
  const isStop = stopped !== null && steps.some(({ index }) => index === stopped);
  return (
    <li
      class={`tread tread-${state} ${isStop ? 'tread-stop' : ''}`}
      aria-current={state === 'current' ? 'step' : undefined}
    >
      <div class="riser" aria-hidden="true">
        <div class="riser-fill" style={{ height: `${Math.max(2, percent)}%` }} />
      </div>
      <p class="tread-weight num">
        {weight(percent)}
        <span class="tread-state">{stateWord(tread, stopped)}</span>
      </p>
      {scope === null ? null : <p class="tread-scope">of {scope}</p>}
      <ul class="tread-steps">
        {steps.length === 0 ? <li class="tread-step">everyone</li> : null}
        {steps.map((step) => (
          <StepItem
            key={step.index}
            scene={scene}
            rollout={rollout}
            step={step}
            isStop={step.index === stopped}
          />
        ))}
      </ul>
    </li>
  );
}

interface StepItemProps {
  readonly scene: Scene;
  readonly rollout: RolloutView;
  readonly step: Tread['steps'][number];
  readonly isStop: boolean;
}

function StepItem({ scene, rollout, step: { text, state }, isStop }: StepItemProps) {
  const left = state === 'current' ? leftMs(scene.focus, scene.nowMs) : null;
  const done = left === null ? null : pauseShare(rollout, text, left);
  const icon = isStop ? 'fail' : state === 'done' ? 'pass' : state === 'current' ? 'play' : 'dot';
  return (
    <li class={`tread-step step-${isStop ? 'stop' : state}`}>
      <Icon name={icon} size={12} />
      <span>
        {stepLabel(text)}
        {state === 'pending' || state === 'current' ? null : <span class="sr"> done</span>}
        {left === null ? null : <span class="num step-left"> {countdown(left)}</span>}
        {done === null ? null : (
          <span class="progress" aria-hidden="true">
            <span style={{ width: `${(done * 100).toFixed(1)}%` }} />
          </span>
        )}
      </span>
    </li>
  );
}
