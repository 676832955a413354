import { FAULT_MODES, type FaultMode, isFaultMode } from './faults.ts';

/** How a demo runs. */
export interface DemoOptions {
  /** Requests a second. */
  readonly ratePerS: number;
  readonly users: number;
  /** null: until it is interrupted. */
  readonly durationMs: number | null;
  /** What is wrong with v2 from the start. */
  readonly fault: FaultMode;
  /** null: the usual one, or any free one when that is taken. 0: any free one. */
  readonly port: number | null;
  readonly adminPort: number | null;
}

export const DEMO_DEFAULTS: DemoOptions = {
  ratePerS: 80,
  users: 500,
  durationMs: null,
  fault: 'good',
  port: null,
  adminPort: null,
};

/** As typed on a command line; what is missing takes its default. */
export type RawDemoOptions = {
  readonly [name in 'rate' | 'users' | 'duration' | 'fault' | 'port' | 'adminPort']?:
    | string
    | boolean
    | undefined;
};

/** Everything that is wrong with the given options, one sentence each; or the options. */
export function readDemoOptions(
  raw: RawDemoOptions,
):
  | { readonly ok: true; readonly options: DemoOptions }
  | { readonly ok: false; readonly problems: string[] } {
  const problems: string[] = [];
  const number = (
    name: string,
    text: RawDemoOptions[keyof RawDemoOptions],
    min: number,
    max: number,
  ): number | null => {
    if (text === undefined) return null;
    const value = typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    problems.push(`${name} must be a number from ${min} to ${max}`);
    return null;
  };
  const whole = (
    name: string,
    text: RawDemoOptions[keyof RawDemoOptions],
    min: number,
    max: number,
  ): number | null => {
    const value = number(name, text, min, max);
    if (value === null || Number.isInteger(value)) return value;
    problems.push(`${name} must be a whole number`);
    return null;
  };
  const fault = raw.fault ?? DEMO_DEFAULTS.fault;
  if (!isFaultMode(fault)) problems.push(`--fault must be one of ${FAULT_MODES.join(', ')}`);
  const durationMs = raw.duration === undefined ? null : readDuration(raw.duration);
  if (raw.duration !== undefined && durationMs === null) {
    problems.push('--duration must be a time such as 10s, 2m or 500ms');
  }
  const options: DemoOptions = {
    ratePerS: number('--rate', raw.rate, 0.1, 5000) ?? DEMO_DEFAULTS.ratePerS,
    users: whole('--users', raw.users, 1, 100_000) ?? DEMO_DEFAULTS.users,
    durationMs,
    fault: isFaultMode(fault) ? fault : DEMO_DEFAULTS.fault,
    port: whole('--port', raw.port, 0, 65_535),
    adminPort: whole('--admin-port', raw.adminPort, 0, 65_535),
  };
  return problems.length > 0 ? { ok: false, problems } : { ok: true, options };
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** What a timer can hold. */
const MAX_DURATION_MS = 2 ** 31 - 1;

function readDuration(text: string | boolean): number | null {
  if (typeof text !== 'string') return null;
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim());
  if (!found) return null;
  const ms = Number(found[1]) * UNITS_MS[found[2]!]!;
  return ms > 0 && ms <= MAX_DURATION_MS ? ms : null;
}
