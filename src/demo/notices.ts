/** What the gateway may log to; a part of pino's interface. */
export interface DemoLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The same trouble is told again after this long at the earliest. */
const QUIET_MS = 5_000;
/** Different troubles remembered; beyond it, the oldest may be told again early. */
const REMEMBERED = 100;

/** Troubles as lines between the pictures; a stream of equal ones is told once in a while. */
export class Notices {
  readonly #say: (text: string) => void;
  readonly #nowMs: () => number;
  readonly #toldAtMs = new Map<string, number>();

  constructor(say: (text: string) => void, nowMs: () => number) {
    this.#say = say;
    this.#nowMs = nowMs;
  }

  tell(text: string): void {
    const nowMs = this.#nowMs();
    const toldMs = this.#toldAtMs.get(text);
    if (toldMs !== undefined && nowMs - toldMs < QUIET_MS) return;
    this.#toldAtMs.delete(text);
    this.#toldAtMs.set(text, nowMs);
    if (this.#toldAtMs.size > REMEMBERED) this.#toldAtMs.delete(this.#toldAtMs.keys().next().value!);
    this.#say(`  ! ${text}`);
  }

  /** A log for the gateway: warnings and errors are told, the rest is not for this screen. */
  log(): DemoLog {
    const tell = (fields: object, message: string) => this.tell(`gateway: ${message}${reasonIn(fields)}`);
    return { debug() {}, info() {}, warn: tell, error: tell };
  }
}

function reasonIn(fields: object): string {
  const { err } = fields as { err?: unknown };
  return err instanceof Error ? `: ${err.message}` : '';
}
