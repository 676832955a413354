import { type BucketLine, bucketPlace } from '../../logic/buckets.ts';
import { type Slots, slotOf } from '../../logic/slots.ts';
import { stepLabel } from '../../logic/steps.ts';
import { Swatch } from '../icons.tsx';
import type { Scene } from '../scene.ts';

interface LinesProps {
  readonly scene: Scene;
  readonly lines: readonly BucketLine[];
  readonly bucket: number | null;
}

/** All buckets from left to right, a line for now and for each coming step, with the user's through all of them. */
export function Lines({ scene, lines, bucket }: LinesProps) {
  const drawn = lines.some(({ spans }) => spans.length > 0);
  const place = bucket === null ? null : `${(bucketPlace(bucket) * 100).toFixed(2)}%`;
  return (
    <div class="lines">
      {drawn ? (
        <div class="lines-scale num muted" aria-hidden="true">
          <span>0</span>
          {place === null ? null : (
            <span class="lines-bucket" style={{ left: place }}>
              {bucket}
            </span>
          )}
          <span>9999</span>
        </div>
      ) : null}
      <ol class="lines-list">
        {lines.map((line) => (
          <LineItem
            key={line.label}
            line={line}
            place={place}
            slots={scene.slots}
            isNow={line.label === 'now'}
          />
        ))}
      </ol>
      {lines.length > 1 ? null : <p class="muted">No step ahead changes it.</p>}
    </div>
  );
}

interface LineItemProps {
  readonly line: BucketLine;
  readonly place: string | null;
  readonly slots: Slots;
  readonly isNow: boolean;
}

function LineItem({ line: { label, version, because, spans, changes }, place, slots, isNow }: LineItemProps) {
  return (
    <li class={changes ? 'line line-changes' : 'line'}>
      <p class="line-label">
        {isNow ? 'Now' : readable(label)}
        <strong>
          {version === null ? (
            'by chance'
          ) : (
            <>
              <Swatch slot={slotOf(slots, version)} />
              {version}
            </>
          )}
          {changes ? <span class="line-change">changes here</span> : null}
        </strong>
      </p>
      {spans.length === 0 ? (
        <p class="muted small">{because}</p>
      ) : (
        <div class="line-bar" aria-hidden="true">
          {spans.map((span) => (
            <div
              key={span.version}
              class={`fill-${slotOf(slots, span.version)}`}
              style={{ flexGrow: span.to - span.from }}
            />
          ))}
          {place === null ? null : <i style={{ left: place }} />}
        </div>
      )}
    </li>
  );
}

/** `step 4: setWeight 25` → `Step 4, to 25 %`. */
function readable(label: string): string {
  if (label === 'promotion') return 'At the end';
  const [, place = label, text = ''] = /^(step \d+): (.*)$/.exec(label) ?? [];
  return `${place[0]?.toUpperCase() ?? ''}${place.slice(1)}, ${stepLabel(text)}`;
}
