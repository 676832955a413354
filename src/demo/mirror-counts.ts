import type { MirrorCounts } from './view.ts';

/**
 * Reads what became of the mirrored requests from a page of Prometheus text: the samples of
 * `coalmine_mirror_requests_total`. Null when there are none.
 */
export function readMirrorCounts(page: string): MirrorCounts | null {
  const counts = { ok: 0, failed: 0, dropped: 0 };
  let to: string | null = null;
  for (const [, labels, value] of page.matchAll(/^coalmine_mirror_requests_total\{([^}]*)\} ([0-9.e+]+)/gm)) {
    to ??= labelOf(labels!, 'version');
    const outcome = labelOf(labels!, 'outcome') ?? '';
    if (outcome === 'ok') counts.ok += Number(value);
    else if (outcome.startsWith('dropped')) counts.dropped += Number(value);
    else counts.failed += Number(value);
  }
  return to === null ? null : { to, ...counts };
}

function labelOf(labels: string, name: string): string | null {
  return new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? null;
}

/** Asks the admin port once; null when it does not answer in time. */
export async function fetchMirrorCounts(adminUrl: string): Promise<MirrorCounts | null> {
  try {
    const response = await fetch(`${adminUrl}/metrics`, { signal: AbortSignal.timeout(1000) });
    return readMirrorCounts(await response.text());
  } catch {
    return null;
  }
}
