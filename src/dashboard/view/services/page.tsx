import { useState } from 'preact/hooks';
import { plural } from '../../format.ts';
import { listed, RANKS, rankOf } from '../../logic/attention.ts';
import type { Session } from '../../session.ts';
import type { State } from '../../state/model.ts';
import { ServiceRow } from './row.tsx';

/** From so many services on a list wants a filter. */
const FILTER_FROM = 6;

export function ServicesPage({ session, state }: { readonly session: Session; readonly state: State }) {
  const [filter, setFilter] = useState('');
  const { overview } = state;
  if (overview === null) return <p class="empty">Waiting for the gateway…</p>;
  const { services } = overview;
  const shown = listed(services, filter);
  return (
    <>
      <div class="page-head">
        <h1>Services</h1>
        <Census services={services} />
        {services.length < FILTER_FROM ? null : (
          <div class="filter">
            <label for="filter">Filter</label>
            <input
              id="filter"
              type="search"
              autocomplete="off"
              spellcheck={false}
              value={filter}
              onInput={(event) => setFilter(event.currentTarget.value)}
            />
            <span class="muted num" role="status">
              {filter.trim() === '' ? '' : `${shown.length} of ${services.length}`}
            </span>
          </div>
        )}
      </div>
      <div class="row-heads" aria-hidden="true">
        <span>Service</span>
        <span>Who serves whom</span>
        <span>Is it harming anyone?</span>
        <span>What happens next</span>
      </div>
      <ul class="rows">
        {shown.map((service) => (
          <ServiceRow key={service.name} session={session} service={service} />
        ))}
      </ul>
      {shown.length > 0 ? null : (
        <p class="empty">
          {services.length === 0 ? 'No service is configured.' : 'No service has such a name.'}
        </p>
      )}
    </>
  );
}

const CENSUS: Readonly<Record<(typeof RANKS)[number], string>> = {
  harm: 'in trouble',
  watch: 'to be watched',
  moving: 'under way',
  quiet: 'quiet',
};

/** `1 in trouble, 2 under way, 9 quiet`. */
function Census({ services }: { readonly services: Parameters<typeof listed>[0] }) {
  const ranks = services.map(rankOf);
  const parts = RANKS.map((rank) => ({ rank, n: ranks.filter((one) => one === rank).length })).filter(
    ({ n }) => n > 0,
  );
  return (
    <p class="census muted">
      {plural(services.length, 'service')}
      {parts.map(({ rank, n }) => (
        <span key={rank} class={`census-${rank}`}>
          {n} {CENSUS[rank]}
        </span>
      ))}
    </p>
  );
}
