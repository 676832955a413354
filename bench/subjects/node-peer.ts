import { launch } from '../lib/process.ts';
import { type Subject, startOn } from './subject.ts';

/** What src/main.ts sets for itself. */
const OWN_FLAGS = ['--no-allocation-site-pretenuring'];

/** One of bench/peers: takes its port and the stable upstream's as arguments. */
function nodePeer(name: string, program = name, flags: readonly string[] = []): Subject {
  return {
    name,
    missing: () => null,
    start: (bench, upstreams) =>
      startOn(name, (port) =>
        launch({
          name,
          command: process.execPath,
          args: [...flags, `${bench.programs}/peers/${program}.js`, String(port), String(upstreams.stable)],
          cpus: bench.pinning.proxy,
          ipc: true,
        }),
      ),
  };
}

export const barePipe = nodePeer('bare-pipe');
export const barePipeWithFlags = nodePeer('bare-pipe+flags', 'bare-pipe', OWN_FLAGS);
export const httpProxy = nodePeer('http-proxy');
