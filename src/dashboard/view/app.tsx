import { useEffect, useRef } from 'preact/hooks';
import type { Route } from '../logic/route.ts';
import type { Session } from '../session.ts';
import { freshness } from '../state/freshness.ts';
import type { State } from '../state/model.ts';
import { Banners } from './banners.tsx';
import { ServicePage } from './service-page.tsx';
import { ServicesPage } from './services/page.tsx';
import { TokenForm } from './token-form.tsx';
import { TopBar } from './top-bar.tsx';

export interface AppProps {
  readonly session: Session;
  readonly state: State;
  readonly route: Route;
}

export function App({ session, state, route }: AppProps) {
  const fresh = freshness(state);
  useTitle(route);
  if (state.access !== 'open') {
    return (
      <>
        <TopBar state={{ ...state, overview: null }} fresh={{ ...fresh, stale: false }} />
        <TokenForm session={session} refused={state.access === 'refused'} />
      </>
    );
  }
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('content')?.focus()}>
        Skip to the content
      </button>
      <TopBar state={state} fresh={fresh} />
      <Banners state={state} fresh={fresh} />
      <main id="content" class={fresh.stale ? 'stale' : ''} tabIndex={-1}>
        {route.page === 'services' ? (
          <ServicesPage session={session} state={state} />
        ) : (
          <ServicePage key={route.service} session={session} state={state} route={route} />
        )}
      </main>
    </>
  );
}

/** The tab's name; a new page is read from its top. */
function useTitle(route: Route): void {
  const service = route.page === 'services' ? '' : route.service;
  const first = useRef(true);
  useEffect(() => {
    document.title = service === '' ? 'Coalmine' : `${service} · Coalmine`;
    if (!first.current) {
      scrollTo(0, 0);
      document.getElementById('content')?.focus({ preventScroll: true });
    }
    first.current = false;
  }, [route.page, service]);
}
