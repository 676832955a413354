import type { EstimateView, ExperimentView, VariantView } from '../../../admin/contract.ts';
import { count, duration, moment, NONE, share, weight } from '../../format.ts';
import { type Slots, slotOf } from '../../logic/slots.ts';
import { sentence, type Tone } from '../../logic/standing.ts';
import { Swatch, ToneIcon } from '../icons.tsx';
import { Scroll } from '../scroll.tsx';

interface VariantsProps {
  readonly experiment: ExperimentView;
  readonly slots: Slots;
  readonly nowMs: number;
}

const HEADS = ['Users', 'Requests', 'Converted', 'Conversion', 'Against stable', 'Left'] as const;

export function Variants({ experiment, slots, nowMs }: VariantsProps) {
  return (
    <Scroll label="Variants">
      <table class="plain variants">
        <thead>
          <tr>
            <th scope="col">Variant</th>
            <th scope="col" class="right">
              Share
            </th>
            {HEADS.map((head) => (
              <th key={head} scope="col" class="right">
                {head}
              </th>
            ))}
            <th scope="col">Guardrails</th>
          </tr>
        </thead>
        <tbody>
          {experiment.variants.map((variant) => (
            <Row
              key={variant.name}
              variant={variant}
              slot={slotOf(slots, variant.name)}
              isWinner={variant.name === experiment.winner}
              nowMs={nowMs}
            />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

interface RowProps {
  readonly variant: VariantView;
  readonly slot: number;
  readonly isWinner: boolean;
  readonly nowMs: number;
}

function Row({ variant, slot, isWinner, nowMs }: RowProps) {
  const { name, users, requests, converted, conversion, ratio, remainingMs, stopped, text, state } = variant;
  return (
    <tr>
      <th scope="row">
        <Swatch slot={slot} /> {name}
        {isWinner ? <span class="tag tone-good">winner</span> : null}
        <span class="muted small">
          {state}
          {text === '' ? '' : `; ${text}`}
        </span>
        {stopped === null ? null : (
          <span class="small tone-harm">
            <ToneIcon tone="harm" size={13} /> stopped at {moment(Date.parse(stopped.at), nowMs)}:{' '}
            {sentence(stopped.because)}
          </span>
        )}
      </th>
      <td class="right num strong">{weight(variant.weight)}</td>
      <td class="right num">{count(users)}</td>
      <td class="right num">{count(requests)}</td>
      <td class="right num">{count(converted)}</td>
      <td class="right num">
        <Interval estimate={conversion} text={share} />
      </td>
      <td class="right num">
        {state === 'control' ? (
          <span class="muted">control</span>
        ) : (
          <Interval estimate={ratio} text={times} />
        )}
      </td>
      <td class="right num">
        {remainingMs === 0 ? 'decided' : remainingMs === null ? NONE : duration(remainingMs)}
      </td>
      <td>
        <Guardrails variant={variant} />
      </td>
    </tr>
  );
}

function Interval({
  estimate,
  text,
}: {
  readonly estimate: EstimateView | null;
  readonly text: (value: number | null) => string;
}) {
  if (estimate === null) return <>{NONE}</>;
  return (
    <>
      <strong>{text(estimate.value)}</strong>
      <span class="muted small">
        {text(estimate.low)} to {text(estimate.high)}
      </span>
    </>
  );
}

const TONES: Readonly<Record<NonNullable<VariantView['guardrails']>['state'], Tone>> = {
  PASS: 'good',
  FAIL: 'harm',
  CONTINUE: 'calm',
  ERROR: 'unknown',
};
const WORDS: Readonly<Record<NonNullable<VariantView['guardrails']>['state'], string>> = {
  PASS: 'all pass',
  FAIL: 'failed',
  CONTINUE: 'nothing against it',
  ERROR: 'cannot be told',
};

function Guardrails({ variant: { guardrails } }: { readonly variant: VariantView }) {
  if (guardrails === null) return <span class="muted">{NONE}</span>;
  const { state, text } = guardrails;
  return (
    <span class={`tone-${TONES[state]}`} title={text}>
      <ToneIcon tone={TONES[state]} size={13} /> {WORDS[state]}
      <span class="muted small guard-text">{text}</span>
    </span>
  );
}

function times(value: number | null): string {
  return value === null ? NONE : value.toFixed(3);
}
