import type { ExperimentView, VariantView } from '../judge/experiment-view.ts';
import type { ExperimentTimelineView, IntervalColumns } from '../live-views.ts';
import type { EstimateView } from '../rollouts/views.ts';
import type { Step } from './step-clock.ts';
import { ThinningRows } from './thinning.ts';

/** Points of an experiment. A point of one variant takes 48 bytes. */
const MAX_POINTS = 1_024;
const STEP_MS = 1_000;
/** value, low and high of the conversion, and of the ratio. */
const WIDTH = 6;

/** One experiment since its counts began. */
interface Course {
  /** Counts under another heading begin anew, and so do their intervals. */
  readonly about: string;
  readonly kpi: string;
  readonly variants: readonly string[];
  readonly rows: ThinningRows;
}

/** The intervals of every experiment over time. */
export class ExperimentTimelines {
  #courses = new Map<string, Course>();

  /** How the experiments stand at the end of a step; those that are not told of are forgotten. */
  take(step: Step, views: readonly ExperimentView[]): void {
    const next = new Map<string, Course>();
    for (const view of views) {
      const course = follow(this.#courses.get(view.service), view, step.number);
      next.set(view.service, course);
      course.rows.set(step.number, view.variants.flatMap(rowOf));
    }
    this.#courses = next;
  }

  /** Null: there is none, or nothing is known of it yet. `endOf`: wall clock at the end of a step. */
  view(service: string, endOf: (step: number) => number): ExperimentTimelineView | null {
    const course = this.#courses.get(service);
    if (course === undefined) return null;
    const { kpi, variants, rows } = course;
    return {
      service,
      kpi,
      stepMs: rows.every * STEP_MS,
      atMs: Array.from({ length: rows.length }, (_, index) => endOf(rows.stepOf(index))),
      variants: variants.map((name, variant) => ({
        name,
        conversion: intervals(rows, variant * WIDTH),
        ratio: variant === 0 ? NO_COLUMNS : intervals(rows, variant * WIDTH + 3),
      })),
    };
  }
}

const NO_COLUMNS: IntervalColumns = { value: [], low: [], high: [] };

function follow(held: Course | undefined, view: ExperimentView, step: number): Course {
  const variants = view.variants.map(({ name }) => name);
  const about = JSON.stringify([view.kpi, view.began, variants]);
  if (held?.about === about) return held;
  const rows = new ThinningRows(MAX_POINTS, variants.length * WIDTH, step);
  return { about, kpi: view.kpi, variants, rows };
}

function rowOf({ conversion, ratio }: VariantView): number[] {
  return [...numbersOf(conversion), ...numbersOf(ratio)];
}

function numbersOf(estimate: EstimateView | null): number[] {
  return [estimate?.value, estimate?.low, estimate?.high].map((value) => value ?? Number.NaN);
}

function intervals(rows: ThinningRows, column: number): IntervalColumns {
  const told = (offset: number) =>
    Array.from({ length: rows.length }, (_, index) => toldOf(rows.at(index, column + offset)));
  return { value: told(0), low: told(1), high: told(2) };
}

/** Five digits are finer than any screen, and four fifths shorter than what arithmetic gives. */
function toldOf(value: number): number | null {
  return Number.isNaN(value) ? null : Number(value.toPrecision(5));
}
