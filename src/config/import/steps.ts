import { assertNever } from '../../core/model.ts';
import { type ArgReader, readArgs } from './args.ts';
import type { Cursor } from './cursor.ts';
import { durationOf } from './durations.ts';
import { type Out, plain } from './sheet.ts';
import { readTemplateRefs, type TemplateUse } from './templates.ts';

export interface StepReader extends ArgReader {
  /** What Argo's weights are shares of; 100 unless the Rollout says otherwise. */
  readonly maxWeight: number;
  /** Collects the templates that are named. */
  readonly uses: TemplateUse[];
}

const KINDS = [
  'setWeight',
  'pause',
  'analysis',
  'experiment',
  'setHeaderRoute',
  'setMirrorRoute',
  'setCanaryScale',
] as const;
type Kind = (typeof KINDS)[number];

export function readSteps(at: Cursor, reader: StepReader): Out[] {
  return at
    .items()
    .map((step) => readStep(step, reader))
    .filter((step) => step !== null);
}

function readStep(at: Cursor, reader: StepReader): Out | null {
  if (at.get('plugin').present) {
    at.get('plugin').fail('a step of a plugin cannot be carried over; a webhook may do its work');
    return null;
  }
  const kinds = KINDS.filter((kind) => isGiven(at, kind));
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    at.fail(kind === undefined ? 'is no step' : 'is several steps at once; write each as an item of its own');
    return null;
  }
  return reader.sheet.map({ [kind]: readKind(kind, at.get(kind), reader) }, at);
}

/** `pause:` with nothing after it waits for a person, as `pause: {}` does. */
function isGiven(at: Cursor, kind: Kind): boolean {
  return kind === 'pause' ? at.get(kind).value !== undefined : at.get(kind).present;
}

function readKind(kind: Kind, at: Cursor, reader: StepReader): unknown {
  const { sheet } = reader;
  switch (kind) {
    case 'setWeight':
      return readWeight(at, reader.maxWeight);
    case 'pause':
      return sheet.flow({ duration: durationOf(at.get('duration')) }, at);
    case 'analysis':
      return readAnalysis(at, reader);
    case 'experiment':
      return readExperiment(at, reader);
    case 'setHeaderRoute':
    case 'setMirrorRoute':
      return sheet.copy(at);
    case 'setCanaryScale':
      at.note('kept so that the steps keep their numbers, but does nothing: Coalmine scales no replicas');
      return sheet.copy(at);
    default:
      return assertNever(kind);
  }
}

/** Percent with two decimals. */
function readWeight(at: Cursor, maxWeight: number): number | undefined {
  const weight = at.integer();
  if (weight === null || maxWeight === 100) return weight ?? undefined;
  const exact = (weight / maxWeight) * 100;
  const percent = Math.round(exact * 100) / 100;
  if (Math.abs(percent - exact) > 1e-9) {
    at.note(`${weight} of ${maxWeight} is rounded to ${percent} percent; weights have two decimals`);
  }
  return percent;
}

/** An inline analysis, or the background one. */
export function readAnalysis(at: Cursor, reader: StepReader): Out {
  const { sheet } = reader;
  const { uses, list } = readTemplateRefs(at.get('templates'), sheet, 'name');
  reader.uses.push(...uses);
  return sheet.map(
    {
      templates: list,
      args: readArgs(at.get('args'), reader),
      startingStep: at.get('startingStep').integer() ?? undefined,
      dryRun: sheet.copy(at.get('dryRun')),
      measurementRetention: sheet.copy(at.get('measurementRetention')),
    },
    at,
  );
}

function readExperiment(at: Cursor, reader: StepReader): Out {
  const { sheet } = reader;
  const templates = at.get('templates').items();
  const analyses = at.get('analyses');
  return sheet.map(
    {
      duration: durationOf(at.get('duration')),
      templates: templates.map((one) => readExperimentTemplate(one, reader)),
      analyses: analyses.present
        ? analyses.items().map((one) => readExperimentAnalysis(one, reader))
        : undefined,
    },
    at,
  );
}

function readExperimentTemplate(at: Cursor, reader: StepReader): Out {
  const weightAt = at.get('weight');
  if (!weightAt.present) {
    at.note('has no weight: in Argo its pods run beside the traffic; here it gets no request');
  }
  return reader.sheet.flow(
    {
      name: text(at.get('name')),
      specRef: text(at.get('specRef')),
      weight: weightAt.present ? readWeight(weightAt, reader.maxWeight) : undefined,
    },
    at,
  );
}

function readExperimentAnalysis(at: Cursor, reader: StepReader): Out {
  const name = at.get('templateName').text();
  const made = reader.sheet.map(
    {
      name: text(at.get('name')),
      templateName: text(at.get('templateName')),
      args: readArgs(at.get('args'), reader),
      requiredForCompletion: at.get('requiredForCompletion').flag() ?? undefined,
    },
    at,
  );
  if (name !== null) {
    const set = (to: string) => {
      made.templateName = to;
    };
    reader.uses.push({ name, isCluster: at.get('clusterScope').flag() === true, at, set });
  }
  return made;
}

function text(at: Cursor): string | undefined {
  const found = at.text();
  return found === null ? undefined : plain(found);
}
