import { clock, duration, moment } from '../format.ts';
import type { Freshness } from '../state/freshness.ts';
import type { State } from '../state/model.ts';
import { Icon } from './icons.tsx';

/** What is wrong with everything below it. */
export function Banners({ state, fresh }: { readonly state: State; readonly fresh: Freshness }) {
  const { overview } = state;
  const failure = overview?.reloadFailure ?? null;
  return (
    <div class="banners">
      <div role="alert">{fresh.stale ? <Stale fresh={fresh} /> : null}</div>
      {overview?.phase === 'draining' && !fresh.stale ? (
        <p class="banner banner-watch">
          <Icon name="warn" />
          <span>
            <strong>The gateway is shutting down.</strong> It takes no new users and finishes what it has.
          </span>
        </p>
      ) : null}
      {failure === null ? null : (
        <div class="banner banner-watch" role="status">
          <Icon name="warn" />
          <div>
            <strong>The config was refused at {moment(failure.atMs, state.nowMs)}</strong>; the one before it
            is in force.
            <pre class="reload-message">{failure.message}</pre>
          </div>
        </div>
      )}
    </div>
  );
}

function Stale({ fresh: { sinceMs, why, retryInMs } }: { readonly fresh: Freshness }) {
  return (
    <p class="banner banner-harm">
      <Icon name="warn" />
      <span>
        <strong>{sinceMs === null ? 'No data' : `Data is stale since ${clock(sinceMs)}`}</strong>: {why}.{' '}
        <span aria-hidden="true">
          {retryInMs === null
            ? 'It may come back by itself.'
            : `Trying again${retryInMs > 999 ? ` in ${duration(retryInMs)}` : ''}…`}
        </span>
      </span>
    </p>
  );
}
