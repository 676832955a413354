import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/load.ts';

/** A setting that is read once at start, and how it is called in the config file. */
interface BootSetting {
  readonly key: string;
  read(config: Config): unknown;
}

const BOOT_SETTINGS: readonly BootSetting[] = [
  { key: 'listen', read: ({ listener }) => [listener.host, listener.port] },
  { key: 'tls', read: ({ listener }) => listener.tls !== null },
  { key: 'limits.maxHeaderBytes', read: ({ listener }) => listener.limits.maxHeaderBytes },
  { key: 'limits.maxHeaders', read: ({ listener }) => listener.limits.maxHeaders },
  { key: 'limits.headersTimeout', read: ({ listener }) => listener.limits.headersTimeoutMs },
  { key: 'limits.bodyIdleTimeout', read: ({ listener }) => listener.limits.bodyIdleTimeoutMs },
  {
    key: 'limits.minBodyBytesPerSecond',
    read: ({ listener }) => listener.limits.minBodyBytesPerSecond,
  },
  { key: 'limits.answerIdleTimeout', read: ({ listener }) => listener.limits.answerIdleTimeoutMs },
  { key: 'limits.keepAlive', read: ({ listener }) => listener.limits.keepAliveMs },
  { key: 'limits.maxConnections', read: ({ listener }) => listener.limits.maxConnections },
  { key: 'state.dir', read: ({ stateDir }) => stateDir },
  { key: 'admin.listen', read: ({ admin }) => [admin.host, admin.port] },
  { key: 'admin.token', read: ({ admin }) => admin.token },
  { key: 'admin.allowedHosts', read: ({ admin }) => admin.allowedHosts },
];

/** Keys of the config that differ from those the process started with and wait for a restart. */
export function restartKeys(boot: Config, now: Config): string[] {
  return BOOT_SETTINGS.filter(({ read }) => !isDeepStrictEqual(read(boot), read(now))).map(({ key }) => key);
}
