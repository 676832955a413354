import type { OverviewService, OverviewVersion, RolloutSummary } from '../../../admin/contract.ts';
import { countdown, latency, NONE, rate, share, weight } from '../../format.ts';
import { rankOf } from '../../logic/attention.ts';
import { takeBackOffer } from '../../logic/offers.ts';
import { hashOf } from '../../logic/route.ts';
import { type Slots, slotOf, slotsOf } from '../../logic/slots.ts';
import { harmOf, type Statement, sentence } from '../../logic/standing.ts';
import type { Session } from '../../session.ts';
import { OfferButton } from '../actions.tsx';
import { Swatch, ToneIcon } from '../icons.tsx';
import { SplitBar } from '../split-bar.tsx';

export function ServiceRow({
  session,
  service,
}: {
  readonly session: Session;
  readonly service: OverviewService;
}) {
  const { name, match, rollout, versions } = service;
  const slots = slotsOf(versions, rollout?.canary ?? null);
  const harm = rollout === null ? plainHarm(service) : harmOf(rollout);
  const offer = rollout === null || rollout.status === 'completed' ? null : takeBackOffer(rollout);
  return (
    <li class={`row rank-${rankOf(service)}`}>
      <div class="row-name">
        <h2>
          <a href={hashOf({ page: 'rollout', service: name, range: '15m' })}>{name}</a>
        </h2>
        <p class="muted">
          {match.host ?? ''}
          {match.path}
        </p>
      </div>
      <div class="row-serves">
        {versions.filter((version) => version.weight > 0).length > 1 ? (
          <SplitBar portions={versions} slots={slots} />
        ) : null}
        <VersionLines versions={versions} slots={slots} />
        <Remarks service={service} />
      </div>
      <div class="row-harm">
        <p class={`verdict tone-${harm.tone}`}>
          <ToneIcon tone={harm.tone} />
          <strong>{harm.head}</strong>
        </p>
        <p class="row-text">{harm.text}</p>
      </div>
      <div class="row-next">
        <Next service={service} />
      </div>
      <div class="row-act">
        {offer === null ? null : (
          <OfferButton session={session} service={name} offer={offer} compact inList />
        )}
      </div>
    </li>
  );
}

function plainHarm({ experiment }: OverviewService): Statement {
  if (experiment === null) return { tone: 'calm', head: 'No rollout', text: '' };
  const wrong = experiment.state === 'error';
  return {
    tone: wrong ? 'watch' : 'calm',
    head: `Experiment: ${STATES[experiment.state]}`,
    text: experiment.text,
  };
}

const STATES: Readonly<Record<NonNullable<OverviewService['experiment']>['state'], string>> = {
  winner: 'there is a winner',
  equivalent: 'no single best',
  continue: 'goes on',
  error: 'cannot be believed',
  idle: 'nobody is in it',
};

/** Each version with somebody on it, or that is meant for somebody. */
function VersionLines({
  versions,
  slots,
}: {
  readonly versions: readonly OverviewVersion[];
  readonly slots: Slots;
}) {
  const shown = versions.filter(({ role, ratePerS }) => role !== 'idle' || ratePerS > 0);
  return (
    <table class="version-lines num">
      <caption class="sr">Versions</caption>
      <thead class="sr">
        <tr>
          <th scope="col">Version</th>
          <th scope="col">Users</th>
          <th scope="col">Requests a second</th>
          <th scope="col">Errors</th>
          <th scope="col">p99</th>
        </tr>
      </thead>
      <tbody>
        {shown.map(({ name, weight: percent, ratePerS, errorShare, p99Ms }) => (
          <tr key={name}>
            <th scope="row">
              <Swatch slot={slotOf(slots, name)} />
              <span class="version-name">{name}</span>
            </th>
            <td class="strong">{weight(percent)}</td>
            <td>
              {rate(ratePerS)}
              <span class="unit">/s</span>
            </td>
            <td class={errorShare !== null && errorShare > 0 ? 'has-errors' : ''}>
              {share(errorShare)} <span class="unit">err</span>
            </td>
            <td>
              {latency(p99Ms)} <span class="unit">p99</span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Remarks({ service: { versions, mirror, weightSetByHand } }: { readonly service: OverviewService }) {
  const down = versions.filter(
    ({ role, endpoints }) => role !== 'idle' && endpoints.healthy < endpoints.total,
  );
  return (
    <>
      {down.map(({ name, endpoints }) => (
        <p key={name} class="remark tone-watch">
          <ToneIcon tone="watch" size={13} />
          {name}: {endpoints.healthy} of {endpoints.total} endpoints healthy
        </p>
      ))}
      {mirror !== null && versions.every(({ name, weight: w }) => name !== mirror || w === 0) ? (
        <p class="remark muted">{mirror} may get copies</p>
      ) : null}
      {weightSetByHand ? <p class="remark muted">weight set by hand</p> : null}
    </>
  );
}

function Next({ service: { rollout } }: { readonly service: OverviewService }) {
  if (rollout === null) return <p class="muted">{NONE}</p>;
  const { status, step, steps, nextInMs, hold, userPaused } = rollout;
  if (status !== 'stepping' && status !== 'starting') return <p class="muted">{restText(rollout)}</p>;
  const counting = nextInMs !== null && !userPaused && hold === null;
  return (
    <>
      {counting ? <p class="row-countdown num">{countdown(nextInMs)}</p> : null}
      <p class={counting ? 'muted' : ''}>
        {step === null ? 'about to begin' : `step ${Math.min(step + 1, steps)} of ${steps}`}
        {userPaused ? ', paused by hand' : ''}
        {step === null ? null : <Ticks step={step} steps={steps} />}
      </p>
      {counting ? null : <p class="row-text">{waitText(rollout)}</p>}
    </>
  );
}

/** What has to happen before anything does, outside the steps. */
function restText({ status, canary, message }: RolloutSummary): string {
  switch (status) {
    case 'aborted':
      return 'Nothing until someone retries it';
    case 'completed':
      return 'Nothing: it is done';
    case 'blocked':
      return sentence(message);
    default:
      return `Nothing until ${canary} is started`;
  }
}

/** The message without the place, which stands above it. */
function waitText({ hold, message }: RolloutSummary): string {
  if (hold !== null) return sentence(`held: ${hold}`);
  return sentence(message.replace(/^step \d+ of \d+: /, ''));
}

/** As many as fit; words beside them say the same. */
const MAX_TICKS = 24;

function Ticks({ step, steps }: { readonly step: number; readonly steps: number }) {
  if (steps > MAX_TICKS) return null;
  return (
    <span class="ticks" aria-hidden="true">
      {Array.from({ length: steps }, (_, i) => (
        <i key={i} class={i < step ? 'done' : i === step ? 'here' : ''} />
      ))}
    </span>
  );
}
