import { hashOf, type Route } from '../logic/route.ts';
import { slotsOf } from '../logic/slots.ts';
import type { Session } from '../session.ts';
import type { Focus, State } from '../state/model.ts';
import { ExperimentPage } from './experiment/page.tsx';
import { ExplainPage } from './explain/page.tsx';
import { RolloutPage } from './rollout/page.tsx';
import type { Scene } from './scene.ts';

type ServiceRoute = Exclude<Route, { page: 'services' }>;

interface ServicePageProps {
  readonly session: Session;
  readonly state: State;
  readonly route: ServiceRoute;
}

/** What all pages of a service have in common: its name, and the ways between them. */
export function ServicePage({ session, state, route }: ServicePageProps) {
  const { focus } = state;
  if (focus === null || focus.name !== route.service) return <p class="empty">Waiting for the gateway…</p>;
  if (focus.absent !== null) return <Absent message={focus.absent} />;
  const scene = sceneOf(session, state, focus);
  return (
    <>
      <Head scene={scene} route={route} />
      <Page scene={scene} route={route} />
    </>
  );
}

function Page({ scene, route }: { readonly scene: Scene; readonly route: ServiceRoute }) {
  switch (route.page) {
    case 'rollout':
      return <RolloutPage scene={scene} range={route.range} />;
    case 'explain':
      return <ExplainPage scene={scene} query={route.query} />;
    case 'experiment':
      return <ExperimentPage scene={scene} />;
  }
}

function sceneOf(session: Session, state: State, focus: Focus): Scene {
  const overview = state.overview?.services.find(({ name }) => name === focus.name) ?? null;
  const versions = overview?.versions ?? focus.detail?.versions ?? [];
  const { rollout, detail } = focus;
  const stable = rollout?.stable ?? versions.find(({ role }) => role === 'stable')?.name ?? '';
  const canary =
    rollout?.canary ??
    (versions.find(({ role }) => role === 'canary') ?? versions.find(({ name }) => name !== stable))?.name ??
    '';
  const slots = slotsOf(versions, rollout?.canary ?? null);
  return { session, nowMs: state.nowMs, focus, overview, detail, stable, canary, slots };
}

function Head({
  scene: { focus, overview },
  route,
}: {
  readonly scene: Scene;
  readonly route: ServiceRoute;
}) {
  const { service } = route;
  const match = overview?.match ?? focus.detail?.match ?? null;
  const hasExperiment =
    focus.experiment !== null || overview?.experiment != null || route.page === 'experiment';
  return (
    <div class="page-head">
      <h1>
        <a class="up" href="#/">
          Services
        </a>
        <span class="slash" aria-hidden="true">
          /
        </span>
        {service}
      </h1>
      {match === null ? null : <p class="muted match">{`${match.host ?? ''}${match.path}`}</p>}
      <nav class="tabs" aria-label={`Pages of ${service}`}>
        <Tab page={{ page: 'rollout', service, range: '15m' }} at={route} label="Rollout" />
        <Tab page={{ page: 'explain', service, query: new URLSearchParams() }} at={route} label="Explain" />
        {hasExperiment ? <Tab page={{ page: 'experiment', service }} at={route} label="A/B test" /> : null}
      </nav>
    </div>
  );
}

function Tab({
  page,
  at,
  label,
}: {
  readonly page: ServiceRoute;
  readonly at: ServiceRoute;
  readonly label: string;
}) {
  return (
    <a href={hashOf(page)} aria-current={page.page === at.page ? 'page' : undefined}>
      {label}
    </a>
  );
}

function Absent({ message }: { readonly message: string }) {
  return (
    <div class="empty">
      <h1>No such service</h1>
      <p>{message}.</p>
      <p>
        <a href="#/">All services</a>
      </p>
    </div>
  );
}
