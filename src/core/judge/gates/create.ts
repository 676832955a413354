import { assertNever } from '../../model.ts';
import type { GateSpec } from '../gates.ts';
import { agreementFold } from './agreement.ts';
import { confidenceFold } from './confidence.ts';
import { kpiFold } from './kpi.ts';
import { latencyFold } from './latency.ts';
import type { GateFold } from './reading.ts';
import { shiftFold } from './shift.ts';
import { successRateFold } from './success-rate.ts';

/** A gate with no counts yet. */
export function createFold(spec: GateSpec, edgesMs: readonly number[]): GateFold {
  switch (spec.kind) {
    case 'successRate':
      return successRateFold(spec);
    case 'latency':
      return latencyFold(spec, edgesMs);
    case 'predictionShift':
      return shiftFold(spec);
    case 'confidence':
      return confidenceFold(spec);
    case 'agreement':
      return agreementFold(spec);
    case 'kpi':
      return kpiFold(spec);
    default:
      return assertNever(spec);
  }
}
