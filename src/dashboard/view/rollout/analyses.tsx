import type { MetricView } from '../../../admin/contract.ts';
import { NONE } from '../../format.ts';
import { sentence, type Tone } from '../../logic/standing.ts';
import { ToneIcon } from '../icons.tsx';
import type { Scene } from '../scene.ts';
import { Scroll } from '../scroll.tsx';
import { Section } from '../section.tsx';

/** Metrics that are measured beside the steps, or as one of them. */
export function Analyses({ scene }: { readonly scene: Scene }) {
  const analyses = scene.focus.rollout?.analyses ?? [];
  if (analyses.length === 0) return null;
  const failing = analyses
    .flatMap(({ metrics }) => metrics)
    .filter(({ last }) => last?.phase === 'Failed').length;
  return (
    <Section
      id="analyses"
      title="Analysis"
      note={<p>{failing === 0 ? 'nothing fails' : `${failing} fail just now`}</p>}
    >
      <Scroll label="Metrics">
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Metric</th>
              <th scope="col">Holds when</th>
              <th scope="col" class="right">
                Last
              </th>
              <th scope="col" class="right">
                Held
              </th>
              <th scope="col" class="right">
                Failed
              </th>
              <th scope="col" class="right">
                No data
              </th>
            </tr>
          </thead>
          <tbody>
            {analyses.flatMap(({ label, metrics }) =>
              metrics.map((metric) => (
                <MetricRow key={`${label} ${metric.name}`} label={label} metric={metric} />
              )),
            )}
          </tbody>
        </table>
      </Scroll>
      {analyses
        .filter(({ message }) => message !== '')
        .map(({ label, message }) => (
          <p key={label} class="remark">
            {label}: {sentence(message)}
          </p>
        ))}
    </Section>
  );
}

const TONES: Readonly<Record<NonNullable<MetricView['last']>['phase'], Tone>> = {
  Successful: 'good',
  Failed: 'harm',
  Inconclusive: 'unknown',
  Error: 'watch',
  NoData: 'unknown',
};

function MetricRow({ label, metric }: { readonly label: string; readonly metric: MetricView }) {
  const { name, provider, dryRun, successCondition, failureCondition, last, failureLimit } = metric;
  return (
    <tr>
      <th scope="row">
        <ToneIcon tone={last === null ? 'unknown' : TONES[last.phase]} size={13} /> {name}
        <span class="muted small">
          {label}
          {dryRun ? ', dry run' : ''} · {provider}
        </span>
      </th>
      <td class="code">{successCondition || (failureCondition === '' ? NONE : `not ${failureCondition}`)}</td>
      <td class="right num strong">{lastText(last)}</td>
      <td class="right num">{metric.successful}</td>
      <td class={`right num ${metric.failed > 0 ? 'tone-harm' : ''}`}>
        {metric.failed}
        {failureLimit < 0 ? '' : <span class="muted"> of {failureLimit} forgiven</span>}
      </td>
      <td class="right num">{metric.noData + metric.inconclusive + metric.error}</td>
    </tr>
  );
}

/** Measured values come with all their digits. */
function lastText(last: MetricView['last']): string {
  if (last === null || last.phase === 'NoData') return NONE;
  if (last.phase === 'Error') return 'error';
  return last.value.replaceAll(/\d+\.\d{3,}/g, (number) => String(Number(Number(number).toPrecision(3))));
}
