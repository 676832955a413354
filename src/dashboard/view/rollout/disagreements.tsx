import { moment } from '../../format.ts';
import type { Scene } from '../scene.ts';
import { useScrollable } from '../scroll.tsx';
import { Section } from '../section.tsx';

const SHOWN = 5;

/** Requests whose copy was answered differently, side by side. */
export function Disagreements({ scene }: { readonly scene: Scene }) {
  const { disagreements } = scene.focus;
  if (disagreements.length === 0) return null;
  const shown = disagreements.slice(-SHOWN).toReversed();
  return (
    <Section
      id="disagreements"
      title="Disagreements"
      note={
        <p class="muted">{`${disagreements.length} kept${disagreements.length > SHOWN ? `, the newest ${SHOWN} here` : ''}`}</p>
      }
    >
      <ul class="disagreements">
        {shown.map(({ at, requestId, clientVersion, shadowVersion, client, shadow }) => (
          <li key={requestId}>
            <p class="muted num">
              {moment(Date.parse(at), scene.nowMs)} <span class="code">{requestId}</span>
            </p>
            <div class="pair">
              <Told who={`${clientVersion}, to the user`} what={client} />
              <Told who={`${shadowVersion}, to nobody`} what={shadow} />
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Told({ who, what }: { readonly who: string; readonly what: unknown }) {
  const box = useScrollable<HTMLPreElement>();
  return (
    <div>
      <p class="small muted">{who}</p>
      <pre ref={box}>{JSON.stringify(what, null, 1)}</pre>
    </div>
  );
}
