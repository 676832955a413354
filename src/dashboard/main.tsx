import { render } from 'preact';
import { routeOf } from './logic/route.ts';
import { themes, tokens } from './memory.ts';
import { createSession } from './session.ts';
import { createStore } from './state/store.ts';
import { App } from './view/app.tsx';
import { applyTheme } from './view/theme.ts';

const TICK_MS = 500;

applyTheme(themes.get());
const nowMs = () => Date.now();
const store = createStore(nowMs());
const session = createSession({ store, fetch: fetch.bind(window), nowMs, tokens });
const root = document.getElementById('app') as HTMLElement;

let drawn = false;
function draw(): void {
  drawn = true;
  render(<App session={session} state={store.state()} route={routeOf(location.hash)} />, root);
}

/** Several events of one moment are drawn once; a page in the background draws nothing. */
function redraw(): void {
  if (!drawn) return;
  drawn = false;
  requestAnimationFrame(draw);
}

function follow(): void {
  const route = routeOf(location.hash);
  session.open(
    route.page === 'services' ? null : route.service,
    route.page === 'rollout' ? route.range : '15m',
  );
  redraw();
}

store.subscribe(redraw);
addEventListener('hashchange', follow);
setInterval(() => store.dispatch({ kind: 'tick', nowMs: nowMs() }), TICK_MS);
draw();
follow();
