import type { OverviewService, ServiceBody } from '../../admin/contract.ts';
import type { Slots } from '../logic/slots.ts';
import type { Session } from '../session.ts';
import type { Focus } from '../state/model.ts';

/** What every part of a service's page is drawn of. */
export interface Scene {
  readonly session: Session;
  readonly nowMs: number;
  readonly focus: Focus;
  readonly overview: OverviewService | null;
  readonly detail: ServiceBody | null;
  /** '' where it is not known yet. */
  readonly stable: string;
  readonly canary: string;
  readonly slots: Slots;
}
