import type { OverviewService } from '../../admin/contract.ts';

/** Why a service wants a look; the lower, the sooner. */
export const RANKS = ['harm', 'watch', 'moving', 'quiet'] as const;
export type Rank = (typeof RANKS)[number];

export function rankOf({ rollout, versions, experiment }: OverviewService): Rank {
  const down = versions.some(({ role, endpoints }) => role !== 'idle' && endpoints.healthy === 0);
  if (rollout?.status === 'blocked' || rollout?.verdict?.state === 'FAIL') return 'harm';
  if (rollout?.phase === 'Degraded' || down) return 'harm';
  const unwell = versions.some(
    ({ role, endpoints }) => role !== 'idle' && endpoints.healthy < endpoints.total,
  );
  if (unwell || experiment?.state === 'error') return 'watch';
  if (rollout !== null && isUnderWay(rollout.status)) {
    const held =
      rollout.hold !== null || rollout.verdict?.holdRamp === true || rollout.verdict?.state === 'ERROR';
    return held ? 'watch' : 'moving';
  }
  return 'quiet';
}

export function isUnderWay(status: string): boolean {
  return status === 'starting' || status === 'stepping';
}

/** Those that want a look first, else as the config lists them; `filter`: parts of names, any order. */
export function listed(services: readonly OverviewService[], filter: string): readonly OverviewService[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return services
    .filter(({ name, match }) => {
      const text = `${name} ${match.host ?? ''} ${match.path}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .map((service) => ({ service, rank: RANKS.indexOf(rankOf(service)) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ service }) => service);
}
