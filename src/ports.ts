/** What the shell provides to the parts that must not reach for it themselves. */

export interface Clock {
  /** Monotonic, for durations; milliseconds with fractions. */
  nowMs(): number;
  /** Wall clock, for people and for other machines; milliseconds since the epoch. */
  wallMs(): number;
}

/** Uniform in [0, 1). */
export type Random = () => number;

/** The subset of pino's interface that is used; `fields` first, then the sentence. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Compiles a linear-time pattern; throws with the reason when its syntax is wrong. */
export type PatternCompiler = (source: string) => (text: string) => boolean;
