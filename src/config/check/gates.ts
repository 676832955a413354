import { quantilesOf } from '../compile/gates.ts';
import type { Path } from '../issue.ts';
import { type Field, mirrors, reads } from '../observed.ts';
import { rolesOf } from '../roles.ts';
import { GATE_NAMES, kpiGatesOf } from '../schema/gates.ts';
import type { RawService } from '../schema.ts';
import { isMapping, type Report } from '../validate/report.ts';
import { hasReadableRoles } from './weights.ts';

/** What gates need of the rest of their service. Comes after the checks of the service's versions. */
export function checkGates(service: RawService, path: Path, report: Report): void {
  const { gates, rollout, experiment } = service;
  if (gates === undefined || !isMapping(gates)) return;
  const at = [...path, 'gates'];
  const own = GATE_NAMES.filter((name) => gates[name] !== undefined);
  if (own.length + kpiGatesOf(gates).length === 0) {
    report.error(at, 'holds no gate', 'add one such as successRate: { atLeast: 0.99 }', 'key');
  }
  const acting = rollout !== undefined ? 'rollout' : experiment !== undefined ? 'experiment' : null;
  if (gates.onFailure !== undefined && acting !== null) {
    const message = `leaves the gates to others, and the ${acting} acts on them`;
    report.error([...at, 'onFailure'], message, `remove it, or the ${acting}`, 'key');
  }
  if (gates.onFailure === undefined && acting === null) {
    const fix =
      'add a rollout with steps, or onFailure: report where another controller asks for the verdict';
    report.warn(at, 'changes nothing: the service has neither a rollout nor an experiment', fix);
  }
  for (const gate of own) if (report.isSound([...at, gate])) checkGate(gate, service, path, report);
}

function checkGate(gate: (typeof GATE_NAMES)[number], service: RawService, path: Path, report: Report): void {
  switch (gate) {
    case 'successRate':
      return;
    case 'latency':
      checkLatency(service, [...path, 'gates', gate], report);
      return;
    case 'predictionShift':
      checkFields(gate, ['class', 'score'], service, path, report);
      return;
    case 'confidence':
      checkFields(gate, ['confidence'], service, path, report);
      return;
    case 'agreement':
      checkAgreement(service, path, report);
  }
}

function checkLatency({ gates }: RawService, at: Path, report: Report): void {
  const [first, second] = quantilesOf(gates?.latency ?? {});
  if (first === undefined) {
    report.error(at, 'names no quantile', 'add one such as p99: 200ms', 'key');
  } else if (second !== undefined) {
    report.error([...at, second.key], `stands beside \`${first.key}\``, 'keep one of the two', 'key');
  }
}

/** That predictions give one of these fields. */
function checkFields(
  gate: string,
  fields: readonly Field[],
  { predictions }: RawService,
  path: Path,
  report: Report,
): void {
  if (!report.isSound([...path, 'predictions'])) return;
  if (fields.some((field) => reads(predictions, field))) return;
  const what = fields.join(' or ');
  const fix =
    predictions === undefined
      ? `add predictions: { ${fields[0]}: /POINTER } to the service`
      : `add ${what} to predictions`;
  report.error([...path, 'gates', gate], `needs to know the ${what} of an answer`, fix, 'key');
}

function checkAgreement(service: RawService, path: Path, report: Report): void {
  const { shadow, predictions, canary } = service;
  const at = [...path, 'gates', 'agreement'];
  if (!mirrors(service)) {
    const fix = `add mirror: { to: ${canary ?? 'VERSION'} }, or a setMirror step to the rollout`;
    report.error(at, 'needs copies of requests to compare', fix, 'key');
  } else if (isMirrorElsewhere(service, path, report)) {
    report.error(
      at,
      'is for the canary, and the mirror goes to another version',
      'mirror to the canary',
      'key',
    );
  } else if (shadow === undefined && predictions === undefined) {
    const fix = 'add shadow: { compare: json }, or predictions with a class';
    report.error(at, 'needs to know what of the answers to compare', fix, 'key');
  }
}

function isMirrorElsewhere(service: RawService, path: Path, report: Report): boolean {
  if (service.mirror === undefined || !report.isSound([...path, 'mirror'])) return false;
  if (!hasReadableRoles(service, path, report)) return false;
  const { canaries } = rolesOf(service);
  return canaries.length > 0 && !canaries.some(({ version }) => version === service.mirror?.to);
}
