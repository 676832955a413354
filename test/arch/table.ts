import type { ImportTable } from './rules.ts';

/**
 * Who may import whom. Gateway (data path) and control (control path) never
 * import each other: they meet in Split and Tally alone. Core decides and knows
 * nothing of Node.
 */
export const TABLE: ImportTable = {
  'core/': { files: [], npm: [], node: [] },
  'ports.ts': { files: ['core/'], npm: [], node: [] },
  'config/': { files: ['core/', 'ports.ts'], npm: ['yaml', 'typebox', 'ajv', 're2js'], node: [] },
  'config/load.ts': {
    files: ['core/', 'ports.ts'],
    npm: [],
    node: ['node:crypto', 'node:fs', 'node:fs/promises', 'node:path'],
  },
  'config/watch.ts': {
    files: [],
    npm: [],
    node: ['node:fs', 'node:fs/promises', 'node:path'],
  },
  // How answers of other people's servers are read; of the standard library alone.
  'beginning.ts': { files: [], npm: [], node: [] },
  'tally/': { files: ['core/', 'ports.ts'], npm: ['prom-client'], node: [] },
  // Ids that clients carry and feedback brings back: signed by the gateway, read by control.
  'kpi/': { files: ['core/', 'tally/key-set.ts'], npm: ['lru-cache'], node: ['node:crypto'] },
  'gateway/': {
    files: ['core/', 'ports.ts', 'tally/recorder.ts', 'tally/arms.ts', 'kpi/token.ts'],
    // ws: the types of what http-proxy hands out.
    npm: ['fastify', '@fastify/http-proxy', 'undici', 'ipaddr.js', 'lru-cache', 'ws'],
    node: 'any',
  },
  // Off the path: what it takes from there it takes through a port.
  'tracing/': {
    files: ['core/', 'ports.ts', 'beginning.ts'],
    npm: ['undici'],
    node: ['node:crypto', 'node:timers/promises'],
  },
  'control/': {
    files: ['core/', 'config/', 'ports.ts', 'tally/', 'kpi/'],
    npm: [],
    node: ['node:timers/promises', 'node:util'],
  },
  'control/sources/': {
    files: ['core/', 'ports.ts', 'control/windows.ts'],
    npm: ['undici'],
    node: ['node:events', 'node:fs/promises'],
  },
  'control/store/': {
    files: ['core/', 'ports.ts'],
    npm: [],
    node: ['node:crypto', 'node:fs', 'node:fs/promises', 'node:path'],
  },
  'control/post.ts': {
    files: ['core/', 'ports.ts', 'beginning.ts'],
    npm: ['undici'],
    node: ['node:timers/promises'],
  },
  'control/notify.ts': { files: ['core/', 'ports.ts', 'control/'], npm: [], node: ['node:crypto'] },
  'admin/': {
    files: ['control/api.ts', 'core/', 'ports.ts', 'tally/exposition.ts'],
    npm: ['fastify', 'typebox'],
    node: ['node:crypto', 'node:http', 'node:net'],
  },
  'admin/page-files.ts': {
    files: [],
    npm: [],
    node: ['node:crypto', 'node:fs/promises', 'node:path', 'node:util', 'node:zlib'],
  },
  'cli/': { files: ['admin/contract.ts', 'config/', 'core/'], npm: ['commander'], node: ['node:fs'] },
  // The page: bundled for browsers by its build.mjs, so it has no part in the process.
  'dashboard/': { files: ['admin/contract.ts'], npm: ['preact', 'uplot'], node: [] },
  'demo/': { files: [], npm: [], node: 'any' },
  'log.ts': { files: ['ports.ts'], npm: ['pino'], node: [] },
  'shutdown.ts': { files: ['ports.ts'], npm: [], node: ['node:events'] },
  'app.ts': {
    files: [
      'core/',
      'ports.ts',
      'config/',
      'control/',
      'gateway/',
      'admin/',
      'tally/',
      'tracing/',
      'log.ts',
      'walking.ts',
    ],
    npm: [],
    node: ['node:timers/promises', 'node:url'],
  },
  // The part of app.ts that wires what rollouts and the judge need of each other.
  'walking.ts': { files: ['ports.ts', 'config/', 'control/', 'tally/'], npm: [], node: ['node:path'] },
  'run.ts': { files: ['app.ts', 'shutdown.ts', 'cli/io.ts'], npm: [], node: [] },
  'main.ts': {
    files: ['app.ts', 'run.ts', 'shutdown.ts', 'cli/', 'demo/'],
    npm: [],
    node: ['node:fs', 'node:v8'],
  },
};

/** Where processes begin, and where the page does. */
export const ENTRIES = ['main.ts', 'dashboard/main.tsx'];

/** Folders whose packages are bundled, and need not be there at run time. */
export const BUNDLED = ['dashboard/'];
