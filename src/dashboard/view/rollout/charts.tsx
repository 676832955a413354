import { useMemo } from 'preact/hooks';
import type { HistoryView, TimelineBody, TimelineVersion } from '../../../admin/contract.ts';
import { Chart } from '../../chart/chart.tsx';
import type { Line, Mark } from '../../chart/plot.ts';
import { around, timeSpan, upwards } from '../../chart/ranges.ts';
import { fraction, latency, rate, share, weight } from '../../format.ts';
import { hashOf } from '../../logic/route.ts';
import { slotOf } from '../../logic/slots.ts';
import type { Range } from '../../state/model.ts';
import { smoothed } from '../../state/series.ts';
import { Swatch } from '../icons.tsx';
import type { Scene } from '../scene.ts';
import { Section } from '../section.tsx';

const HEIGHT = 150;
/** Points that one is the mean of. */
const SMOOTH_STEPS: Readonly<Record<Range, number>> = { '15m': 10, '24h': 1 };
/** At least so much of time is shown. */
const LEAST_MS: Readonly<Record<Range, number>> = { '15m': 120_000, '24h': 3_600_000 };

/** Everything that is measured, the versions drawn over each other. */
export function Charts({ scene, range }: { readonly scene: Scene; readonly range: Range }) {
  const timeline = scene.focus.timeline[range];
  return (
    <Section id="charts" title="Over time" note={<RangeSwitch scene={scene} range={range} />}>
      {timeline === null ? (
        <p class="empty">Waiting for the history…</p>
      ) : timeline.kept ? (
        <Small scene={scene} timeline={timeline} range={range} />
      ) : (
        <p class="empty">No history is kept of this service: more services are configured than histories.</p>
      )}
    </Section>
  );
}

function RangeSwitch({ scene, range }: { readonly scene: Scene; readonly range: Range }) {
  const service = scene.focus.name;
  return (
    <>
      <p class="ranges">
        {(['15m', '24h'] as const).map((one) => (
          <a
            key={one}
            href={hashOf({ page: 'rollout', service, range: one })}
            aria-current={one === range ? 'true' : undefined}
          >
            {one === '15m' ? '15 min' : '24 h'}
          </a>
        ))}
      </p>
      <ul class="legend">
        {[...scene.slots.keys()].map((name) => (
          <li key={name}>
            <Swatch slot={slotOf(scene.slots, name)} /> {name}
          </li>
        ))}
      </ul>
      <p class="muted small">{range === '15m' ? 'means of 10 s' : 'a point each 15 s'}</p>
    </>
  );
}

type Key = 'weight' | 'ratePerS' | 'errorShare' | 'p50Ms' | 'p99Ms' | 'confidence';

function Small({
  scene,
  timeline,
  range,
}: {
  readonly scene: Scene;
  readonly timeline: TimelineBody;
  readonly range: Range;
}) {
  const marks = useMemo(() => marksOf(scene.focus.history), [scene.focus.history]);
  const common = {
    atMs: timeline.atMs,
    marks,
    time: timeSpan(timeline.atMs, LEAST_MS[range]),
    height: HEIGHT,
    sync: `rollout-${range}`,
    stepped: false,
  };
  const lines = (key: Key): Line[] =>
    timeline.versions.map((version) => ({
      name: version.name,
      slot: slotOf(scene.slots, version.name),
      values:
        key === 'weight'
          ? version.weight
          : smoothed(version[key], weightsFor(version, key), SMOOTH_STEPS[range]),
    }));
  const agreement = agreementOver(timeline, SMOOTH_STEPS[range]);
  const plain = String;
  return (
    <div class="charts">
      <Chart
        {...common}
        title="Share of users"
        lines={lines('weight')}
        stepped
        format={weight}
        axis={(v) => `${plain(v)} %`}
        value={() => ({ min: 0, max: 104 })}
      />
      <Chart
        {...common}
        title="Requests a second"
        lines={lines('ratePerS')}
        format={rate}
        axis={rate}
        value={(_, max) => upwards(max, 1)}
      />
      <Chart
        {...common}
        title="Errors"
        lines={lines('errorShare')}
        format={share}
        axis={share}
        value={(_, max) => upwards(max, 0.01)}
      />
      <Chart
        {...common}
        title="Latency p50"
        lines={lines('p50Ms')}
        format={latency}
        axis={latencyAxis}
        value={(_, max) => upwards(max, 1)}
      />
      <Chart
        {...common}
        title="Latency p99"
        lines={lines('p99Ms')}
        format={latency}
        axis={latencyAxis}
        value={(_, max) => upwards(max, 1)}
      />
      {has(timeline, 'confidence') ? (
        <Chart
          {...common}
          title="Mean confidence"
          lines={lines('confidence')}
          format={fraction}
          axis={(v) => v.toFixed(2)}
          value={(min, max) => around(min, max, 0.1)}
        />
      ) : null}
      {agreement === null ? null : (
        <Chart
          {...common}
          title={`Shadow agreement, ${scene.canary}`}
          lines={[{ name: scene.canary, slot: slotOf(scene.slots, scene.canary), values: agreement }]}
          format={share}
          axis={share}
          value={(min) => ({ min: Math.max(0, Math.min(0.9, (min ?? 1) - 0.05)), max: 1.005 })}
        />
      )}
    </div>
  );
}

/** Requests weigh what is measured of them; a rate is of time itself. */
function weightsFor({ ratePerS }: TimelineVersion, key: Key): readonly (number | null)[] {
  return key === 'ratePerS' ? ratePerS.map(() => 1) : ratePerS;
}

function latencyAxis(ms: number): string {
  return ms === 0 ? '0' : latency(ms);
}

function has(timeline: TimelineBody, key: keyof TimelineVersion & Key): boolean {
  return timeline.versions.some((version) => version[key].some((value) => value !== null));
}

/** Share of the pairs of each step that agree; null: nothing was ever compared. */
function agreementOver({ pairs }: TimelineBody, steps: number): (number | null)[] | null {
  const all = pairs.agree.map((agree, i) => (agree ?? 0) + (pairs.disagree[i] ?? 0));
  const shares = pairs.agree.map((agree, i) => {
    const n = all[i] ?? 0;
    return n === 0 ? null : (agree ?? 0) / n;
  });
  return shares.some((value) => value !== null) ? smoothed(shares, all, steps) : null;
}

const TONES: Partial<Readonly<Record<HistoryView['kind'], Mark['tone']>>> = {
  aborted: 'harm',
  undone: 'harm',
  completed: 'good',
  started: 'plain',
  retried: 'plain',
  step: 'plain',
  promoted: 'plain',
  weight: 'plain',
};

/** What changed who gets what. */
function marksOf(history: readonly HistoryView[]): Mark[] {
  return history.flatMap(({ at, kind }) => {
    const tone = TONES[kind];
    return tone === undefined ? [] : [{ atMs: Date.parse(at), tone }];
  });
}
