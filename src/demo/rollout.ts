/**
 * What the demo shows of a rollout: what it draws of the admin API's RolloutView and HistoryView. It asks for
 * them over HTTP as any user may.
 */
export interface Rollout extends RolloutPart {
  /** Of an aborted one: the measurements that led to it, a line a metric. */
  readonly evidence: readonly string[];
}

export interface RolloutPart {
  readonly phase: 'Progressing' | 'Paused' | 'Healthy' | 'Degraded';
  readonly status: string;
  /** Why it is in that phase. */
  readonly message: string;
  /** Percent of users that the canary gets. */
  readonly weight: number;
  /** 0-based; null outside the steps. */
  readonly step: number | null;
  readonly steps: readonly { readonly text: string; readonly state: 'done' | 'current' | 'pending' }[];
  /** Until the pause under way ends; null: no timed pause. */
  readonly nextInMs: number | null;
  readonly userPaused: boolean;
  /** Why nothing moves although nothing is paused. */
  readonly hold: string | null;
  readonly analyses: readonly { readonly label: string; readonly metrics: readonly Metric[] }[];
}

export interface Metric {
  readonly name: string;
  readonly successCondition: string;
  readonly failureCondition: string;
  /** Failures that are borne; -1: any number. */
  readonly failureLimit: number;
  readonly successful: number;
  readonly failed: number;
  readonly error: number;
  readonly noData: number;
  readonly last: {
    readonly phase: 'Successful' | 'Failed' | 'Inconclusive' | 'Error' | 'NoData';
    readonly value: string;
    readonly message: string;
  } | null;
}

export interface HistoryPart {
  readonly kind: string;
  readonly evidence: readonly string[];
}

const TIMEOUT_MS = 1000;

/** Asks the admin port once. Null: the service has no rollout. `before` when it does not answer in time. */
export async function fetchRollout(
  adminUrl: string,
  service: string,
  before: Rollout | null,
): Promise<Rollout | null> {
  const path = `${adminUrl}/api/v1/rollouts/${service}`;
  try {
    const part = await getJson<RolloutPart>(path);
    if (part === null) return null;
    if (part.status !== 'aborted') return { ...part, evidence: [] };
    const told = await getJson<{ readonly history: readonly HistoryPart[] }>(`${path}/history`);
    return { ...part, evidence: told?.history.findLast(({ kind }) => kind === 'aborted')?.evidence ?? [] };
  } catch {
    return before;
  }
}

async function getJson<T>(url: string): Promise<T | null> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const body = await response.text();
  return response.ok ? (JSON.parse(body) as T) : null;
}
