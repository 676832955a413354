import type { OverviewVersion, VersionDetail, VersionTraffic } from '../../../admin/contract.ts';
import { count, latency, rate, share, weight } from '../../format.ts';
import { slotOf } from '../../logic/slots.ts';
import { Swatch, ToneIcon } from '../icons.tsx';
import type { Scene } from '../scene.ts';
import { Scroll } from '../scroll.tsx';
import { Section } from '../section.tsx';

/** Each version with its last minute and its endpoints. */
export function Versions({ scene }: { readonly scene: Scene }) {
  const { overview, detail, focus } = scene;
  const versions = overview?.versions ?? [];
  if (versions.length === 0) return null;
  const traffic = focus.rollout?.versions ?? [];
  return (
    <Section
      id="versions"
      title="Versions"
      note={<p class="muted">{traffic.length > 0 ? 'over the last minute' : 'just now'}</p>}
    >
      <Scroll label="Versions">
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Version</th>
              <th scope="col">Role</th>
              {['Users', 'Requests', 'Rate', 'Errors', 'p50', 'p99'].map((head) => (
                <th key={head} scope="col" class="right">
                  {head}
                </th>
              ))}
              <th scope="col">Endpoints</th>
            </tr>
          </thead>
          <tbody>
            {versions.map((version) => (
              <Row
                key={version.name}
                version={version}
                slot={slotOf(scene.slots, version.name)}
                traffic={traffic.find(({ name }) => name === version.name) ?? null}
                endpoints={detail?.versions.find(({ name }) => name === version.name)?.endpoints ?? []}
              />
            ))}
          </tbody>
        </table>
      </Scroll>
    </Section>
  );
}

interface RowProps {
  readonly version: OverviewVersion;
  readonly slot: number;
  readonly traffic: VersionTraffic | null;
  readonly endpoints: VersionDetail['endpoints'];
}

function Row({ version, slot, traffic, endpoints }: RowProps) {
  const told = traffic ?? { ...version, requests: null, p50Ms: null };
  return (
    <tr>
      <th scope="row" class="nowrap">
        <Swatch slot={slot} /> {version.name}
      </th>
      <td>{version.role}</td>
      <td class="right num strong">{weight(version.weight)}</td>
      <td class="right num">{count(told.requests)}</td>
      <td class="right num">{rate(told.ratePerS)}/s</td>
      <td class={`right num ${(told.errorShare ?? 0) > 0 ? 'has-errors' : ''}`}>{share(told.errorShare)}</td>
      <td class="right num">{latency(told.p50Ms)}</td>
      <td class="right num">{latency(told.p99Ms)}</td>
      <td>
        <Endpoints version={version} endpoints={endpoints} />
      </td>
    </tr>
  );
}

function Endpoints({ version: { endpoints: sum }, endpoints }: Pick<RowProps, 'version' | 'endpoints'>) {
  const unwell = sum.healthy < sum.total;
  return (
    <ul class="endpoints">
      {unwell ? (
        <li class="tone-watch">
          <ToneIcon tone="watch" size={13} /> {sum.healthy} of {sum.total} healthy
        </li>
      ) : null}
      {endpoints.map(({ url, healthy, ejected }) => (
        <li key={url} class="code">
          {url}
          <span class="muted">{healthy ? (ejected ? ' ejected' : '') : ' unhealthy'}</span>
        </li>
      ))}
    </ul>
  );
}
