import { count, fraction, points, share } from '../../format.ts';
import {
  agreementOf,
  meanConfidence,
  type PredictionRow,
  type Predictions,
  predictionsOf,
} from '../../logic/predictions.ts';
import { slotOf } from '../../logic/slots.ts';
import type { Range } from '../../state/model.ts';
import { Swatch } from '../icons.tsx';
import type { Scene } from '../scene.ts';
import { Section } from '../section.tsx';

/** What the two versions answer, side by side: a model can be wrong without any error. */
export function Model({ scene, range }: { readonly scene: Scene; readonly range: Range }) {
  const timeline = scene.focus.timeline[range];
  if (timeline === null) return null;
  const predictions = predictionsOf(timeline, scene.stable, scene.canary);
  const agreement = agreementOf(timeline);
  if (predictions === null && agreement === null) return null;
  const confidence = (name: string) => {
    const version = timeline.versions.find((one) => one.name === name);
    return version === undefined ? null : meanConfidence(version);
  };
  return (
    <Section
      id="model"
      title="What they answer"
      note={<p class="muted">{range === '15m' ? 'over 15 minutes' : 'over 24 hours'}</p>}
    >
      <div class="model">
        {predictions === null ? null : <Classes scene={scene} predictions={predictions} />}
        <dl class="model-facts num">
          {predictions === null ? null : (
            <>
              <Fact
                name="Classes that differ"
                text={share(predictions.shift)}
                more="half the sum of the differences"
              />
              <Fact
                name="Mean confidence"
                text={`${fraction(confidence(scene.canary))}`}
                more={`${scene.canary}; ${scene.stable} ${fraction(confidence(scene.stable))}`}
              />
            </>
          )}
          {agreement === null ? null : (
            <Fact
              name="Shadow agreement"
              text={share(agreement.agree / agreement.pairs)}
              more={`of ${count(agreement.pairs)} copied requests answered alike`}
            />
          )}
        </dl>
      </div>
    </Section>
  );
}

function Fact({ name, text, more }: { readonly name: string; readonly text: string; readonly more: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {text}
        <span class="muted">{more}</span>
      </dd>
    </div>
  );
}

function Classes({ scene, predictions }: { readonly scene: Scene; readonly predictions: Predictions }) {
  const { stable, canary, slots } = scene;
  const stableSlot = slotOf(slots, stable);
  const canarySlot = slotOf(slots, canary);
  // The longest bar takes all the room, so that small shares are seen as well.
  const most = Math.max(...predictions.rows.flatMap((row) => [row.stable ?? 0, row.canary ?? 0]), 0.01);
  return (
    <table class="classes num">
      <caption class="sr">Shares of the predicted classes</caption>
      <thead>
        <tr>
          <th scope="col">Class</th>
          <th scope="col">
            <Swatch slot={stableSlot} /> {stable}{' '}
            <span class="muted">{count(predictions.stableN)} answers</span>
          </th>
          <th scope="col">
            <Swatch slot={canarySlot} /> {canary}{' '}
            <span class="muted">{count(predictions.canaryN)} answers</span>
          </th>
          <th scope="col" class="right">
            Difference
          </th>
        </tr>
      </thead>
      <tbody>
        {predictions.rows.map((row) => (
          <ClassRow key={row.name} row={row} most={most} stableSlot={stableSlot} canarySlot={canarySlot} />
        ))}
      </tbody>
    </table>
  );
}

interface ClassRowProps {
  readonly row: PredictionRow;
  readonly most: number;
  readonly stableSlot: number;
  readonly canarySlot: number;
}

function ClassRow({
  row: { name, stable, canary, difference },
  most,
  stableSlot,
  canarySlot,
}: ClassRowProps) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        <ShareBar value={stable} most={most} slot={stableSlot} />
      </td>
      <td>
        <ShareBar value={canary} most={most} slot={canarySlot} />
      </td>
      <td class="right strong">
        {points(difference)}
        {difference === null ? null : <span class="unit"> pt</span>}
      </td>
    </tr>
  );
}

function ShareBar({
  value,
  most,
  slot,
}: {
  readonly value: number | null;
  readonly most: number;
  readonly slot: number;
}) {
  return (
    <div class="share">
      <div class="share-track" aria-hidden="true">
        <div class={`fill-${slot}`} style={{ width: `${(((value ?? 0) / most) * 100).toFixed(1)}%` }} />
      </div>
      <span>{share(value)}</span>
    </div>
  );
}
