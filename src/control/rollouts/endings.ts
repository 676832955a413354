import type { HistoryEntry, RolloutState } from '../../core/rollout/state.ts';

/** How rollouts ended, counted for the metrics since this process began. */
export class Endings {
  readonly #byService = new Map<string, Map<string, number>>();

  of(service: string): ReadonlyMap<string, number> {
    return this.#byService.get(service) ?? new Map();
  }

  /** `state` is the one after the entry. */
  count(service: string, { kind }: HistoryEntry, state: RolloutState): void {
    const status = statusOf(kind, state);
    if (status === null) return;
    const counts = this.#byService.get(service) ?? new Map<string, number>();
    counts.set(status, (counts.get(status) ?? 0) + 1);
    this.#byService.set(service, counts);
  }

  forget(service: string): void {
    this.#byService.delete(service);
  }
}

/** The names that Argo Rollouts gives them. */
function statusOf(kind: HistoryEntry['kind'], { progress }: RolloutState): string | null {
  switch (kind) {
    case 'completed':
      return progress.kind === 'completed' ? progress.status : 'Promoted';
    case 'aborted':
      return 'Aborted';
    case 'undone':
      return 'RolledBack';
    case 'superseded':
      return 'Superseded';
    default:
      return null;
  }
}
