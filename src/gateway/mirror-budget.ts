/** What a service's shadow holds at this moment, over all Splits. */
export class MirrorBudget {
  /** Requests being copied or under way. */
  inFlight = 0;
  /** Bytes of bodies being held. */
  bytes = 0;
}
