import type { Path } from '../issue.ts';
import { comparedBy, FIELDS, formatOf, mirrors, readField, reads } from '../observed.ts';
import type { RawPredictions, RawService } from '../schema.ts';
import { isMapping, type Report } from '../validate/report.ts';

/** How answers are read: each place in its format's terms, and that there is any. */
export function checkPredictions({ predictions }: RawService, path: Path, report: Report): void {
  const at = [...path, 'predictions'];
  if (predictions === undefined || !isMapping(predictions) || !report.isSound([...at, 'format'])) return;
  const format = formatOf(predictions);
  for (const field of FIELDS) {
    const text = predictions[field];
    if (text === undefined || !report.isSound([...at, field])) continue;
    const reading = readField(format, text);
    if (!reading.ok) report.error([...at, field], reading.message, reading.fix, 'value', reading.at);
  }
  if (FIELDS.some((field) => reads(predictions, field))) {
    checkScale(predictions, at, report);
  } else if (report.isSound(at)) {
    const fix = 'add class:, confidence: or score: with a JSON Pointer such as /prediction';
    report.error(at, 'reads nothing of the answers', fix, 'key');
  }
}

function checkScale(raw: RawPredictions, at: Path, report: Report): void {
  const { scoreRange } = raw;
  const isGiven = (key: 'labels' | 'scoreRange' | 'sample') =>
    raw[key] !== undefined && report.isSound([...at, key]);
  if (isGiven('labels') && !reads(raw, 'class')) {
    report.error([...at, 'labels'], 'does nothing without `class`', 'add class, or remove it', 'key');
  }
  if (isGiven('scoreRange') && scoreRange !== undefined) {
    if (!reads(raw, 'score')) {
      report.error([...at, 'scoreRange'], 'does nothing without `score`', 'add score, or remove it', 'key');
    } else if (scoreRange[0] >= scoreRange[1]) {
      report.error([...at, 'scoreRange'], 'ends before it begins', 'write the lesser number first');
    }
  }
  if (isGiven('sample') && raw.sample?.share === 0) {
    report.warn([...at, 'sample', 'share'], 'reads no answer at all', 'raise it, or remove predictions');
  }
}

/** How a shadow's answers are compared. */
export function checkShadow(service: RawService, path: Path, report: Report): void {
  const { shadow, predictions } = service;
  const at = [...path, 'shadow'];
  if (shadow === undefined || !report.isSound(at)) return;
  // What the answers give is not known while predictions are wrong.
  if (report.isSound([...path, 'predictions'])) {
    const by = comparedBy(service);
    if (by !== 'json' && !reads(predictions, by)) {
      const message = 'compares what predictions do not read';
      report.error([...at, 'compare'], message, `add ${by} to predictions, or write json`);
    }
    if (shadow.tolerance !== undefined && by !== 'score') {
      report.error([...at, 'tolerance'], 'is for compare: score only', 'remove it', 'key');
    }
    if (shadow.ignore !== undefined && by !== 'json') {
      report.error([...at, 'ignore'], 'is for compare: json only', 'remove it', 'key');
    }
  }
  if (shadow.redact !== undefined && (shadow.keep ?? 0) === 0) {
    report.error([...at, 'redact'], 'does nothing without `keep`', 'add keep: 20, or remove it', 'key');
  }
  if (!mirrors(service)) {
    const fix = `add mirror: { to: ${service.canary ?? 'VERSION'} }, or a setMirror step to the rollout`;
    report.warn(at, 'has nothing to compare without a mirror', fix);
  }
}
