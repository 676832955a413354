import type { Range } from '../../state/model.ts';
import type { Scene } from '../scene.ts';
import { Analyses } from './analyses.tsx';
import { Charts } from './charts.tsx';
import { Disagreements } from './disagreements.tsx';
import { Gates } from './gates.tsx';
import { Hero } from './hero.tsx';
import { History } from './history.tsx';
import { Model } from './model.tsx';
import { TrackSection } from './track.tsx';
import { Versions } from './versions.tsx';

/** A service and its rollout, in the order of the questions of a person on call. */
export function RolloutPage({ scene, range }: { readonly scene: Scene; readonly range: Range }) {
  return (
    <>
      <Hero scene={scene} />
      <TrackSection scene={scene} />
      <Gates scene={scene} />
      <Analyses scene={scene} />
      <Charts scene={scene} range={range} />
      <Model scene={scene} range={range} />
      <Versions scene={scene} />
      <History scene={scene} />
      <Disagreements scene={scene} />
    </>
  );
}
