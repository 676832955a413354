import type { Config } from '../../src/config/load.ts';
import type { Service, Share } from '../../src/core/model.ts';
import type { Clock, Log } from '../../src/ports.ts';
import { listener, service as makeService, type ServiceOptions, version } from '../support/split.ts';

/** Configs and doubles for the control path. */

export interface ConfigOptions extends Partial<Omit<Config, 'split'>> {
  readonly services?: readonly Service[];
}

/** What load.ts would give: stages are 0, and so is nothing else. */
export function config({ services = [], ...rest }: ConfigOptions = {}): Config {
  return {
    listener: listener(),
    admin: { host: '127.0.0.1', port: 0, token: null, allowedHosts: [] },
    log: { level: 'info' },
    files: ['coalmine.yaml'],
    split: { region: null, trustProxy: [], accessLogShare: 0, services },
    ...rest,
  };
}

/** `iris-api`: stable v1, canary v2 with a share, v3 idle. */
export function iris(weightBp: number, options: ServiceOptions = {}): Service {
  const shares: Share[] = [{ version: 1, weightBp }];
  const versions = ['v1', 'v2', 'v3'].map((name) => version(name, `http://127.0.0.1:1/${name}`.slice(0, 18)));
  return makeService(versions, { name: 'iris-api', shares, ...options });
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

export interface MemoryLog extends Log {
  readonly lines: LogLine[];
}

export function memoryLog(): MemoryLog {
  const lines: LogLine[] = [];
  const at = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export const frozenClock: Clock = { nowMs: () => 0, wallMs: () => 1_700_000_000_000 };
