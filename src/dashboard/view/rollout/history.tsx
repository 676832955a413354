import { useState } from 'preact/hooks';
import type { HistoryView } from '../../../admin/contract.ts';
import { ago, moment, weight } from '../../format.ts';
import { sentence, type Tone } from '../../logic/standing.ts';
import { Icon, type IconName } from '../icons.tsx';
import type { Scene } from '../scene.ts';
import { Section } from '../section.tsx';

const SHOWN = 12;

/** What happened and why, the newest first. */
export function History({ scene }: { readonly scene: Scene }) {
  const [all, setAll] = useState(false);
  const { history, rollout } = scene.focus;
  if (rollout === null) return null;
  const entries = history.toReversed();
  const shown = all ? entries : entries.slice(0, SHOWN);
  return (
    <Section id="history" title="What happened" note={<p class="muted">newest first</p>}>
      {entries.length === 0 ? <p class="muted">Nothing yet.</p> : null}
      <ol class="history">
        {shown.map((entry) => (
          <Entry
            key={`${entry.at} ${entry.kind} ${entry.cause}`}
            entry={entry}
            nowMs={scene.nowMs}
            steps={rollout.steps.length}
            names={[...scene.slots.keys()]}
          />
        ))}
      </ol>
      {entries.length > SHOWN ? (
        <button type="button" class="btn btn-small" onClick={() => setAll(!all)}>
          {all ? 'Show the newest only' : `Show all ${entries.length}`}
        </button>
      ) : null}
    </Section>
  );
}

const ICONS: Readonly<Record<HistoryView['kind'], IconName>> = {
  started: 'play',
  refused: 'warn',
  step: 'on',
  paused: 'pause',
  resumed: 'play',
  held: 'wait',
  released: 'play',
  weight: 'on',
  analysis: 'calm',
  stuck: 'warn',
  promoted: 'on',
  completed: 'pass',
  aborted: 'fail',
  retried: 'play',
  undone: 'back',
  accepted: 'pass',
  superseded: 'back',
  restarted: 'play',
  skipped: 'on',
  deadline: 'warn',
};
const TONES: Partial<Readonly<Record<HistoryView['kind'], Tone>>> = {
  aborted: 'harm',
  undone: 'watch',
  stuck: 'watch',
  held: 'watch',
  deadline: 'watch',
  refused: 'watch',
  completed: 'good',
};

function Entry({
  entry,
  nowMs,
  steps,
  names,
}: {
  readonly entry: HistoryView;
  readonly nowMs: number;
  readonly steps: number;
  readonly names: readonly string[];
}) {
  const { at, number, kind, actor, cause, step, weight: percent, evidence } = entry;
  const atMs = Date.parse(at);
  const place = step === null ? '' : `, step ${Math.min(step + 1, steps)}`;
  return (
    <li class={`entry entry-${kind}`}>
      <p class="entry-when num">
        <time dateTime={at} title={ago(nowMs - atMs)}>
          {moment(atMs, nowMs)}
        </time>
      </p>
      <p class="entry-kind">
        <span class={`tone-${TONES[kind] ?? 'calm'}`}>
          <Icon name={ICONS[kind] ?? 'dot'} size={13} />
        </span>
        {kind}
      </p>
      <div class="entry-cause">
        <p>{sentence(cause, names)}</p>
        {evidence.length === 0 ? null : (
          <ul class="entry-evidence">
            {evidence.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        )}
      </div>
      <p class="entry-place muted num">
        {weight(percent)}
        {place}, rollout {number}
      </p>
      <p class="entry-actor muted">{actor}</p>
    </li>
  );
}
