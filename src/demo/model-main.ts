import { parseArgs } from 'node:util';
import { defaultFault, FAULT_MODES, isFaultMode } from './faults.ts';
import { PROFILES, type Profile } from './iris-model.ts';
import { startModelService } from './model-service.ts';

/**
 * A model service as a process of its own: `model-main --version v1 [--profile v1|v2] [--host ADDRESS]
 * [--port N] [--fault MODE]`. Exit code 2: wrong usage; 1: it could not start.
 *
 * Started by fork, it sends its parent one message, ModelReady, and ends when the parent's channel
 * closes, however the parent came to its end. It then leaves Ctrl-C to the parent: a terminal sends
 * that to both at once, and the model must outlive the gateway's drain.
 */
export interface ModelReady {
  readonly url: string;
}

const { values } = parseArgs({
  options: {
    version: { type: 'string', default: 'v1' },
    profile: { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    fault: { type: 'string', default: 'good' },
  },
});

const profile = values.profile ?? (isProfile(values.version) ? values.version : 'v1');
if (!isProfile(profile)) usage(`--profile must be one of ${PROFILES.join(', ')}`);
if (!isFaultMode(values.fault)) usage(`--fault must be one of ${FAULT_MODES.join(', ')}`);
if (!/^\d{1,5}$/.test(values.port)) usage('--port must be a number');

try {
  const service = await startModelService({
    version: values.version,
    profile,
    host: values.host,
    port: Number(values.port),
    fault: defaultFault(values.fault),
    random: Math.random,
  });
  announce({ url: service.url });
} catch (error) {
  console.error(`the model service could not start: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}

function announce(ready: ModelReady): void {
  if (!process.send) {
    console.log(`iris model ${values.version} on ${ready.url}`);
    return;
  }
  process.on('SIGINT', () => {});
  process.once('disconnect', () => process.exit(0));
  process.send(ready);
}

function isProfile(value: string): value is Profile {
  return (PROFILES as readonly string[]).includes(value);
}

function usage(problem: string): never {
  console.error(problem);
  process.exit(2);
}
