import { launch } from '../lib/process.ts';
import { type Subject, startOn } from './subject.ts';

/** One of bench/peers: takes its port and the stable upstream's as arguments. */
function nodePeer(name: string): Subject {
  return {
    name,
    missing: () => null,
    start: (bench, upstreams) =>
      startOn(name, (port) =>
        launch({
          name,
          command: process.execPath,
          args: [`${bench.programs}/peers/${name}.js`, String(port), String(upstreams.stable)],
          cpus: bench.pinning.proxy,
          ipc: true,
        }),
      ),
  };
}

export const barePipe = nodePeer('bare-pipe');
export const httpProxy = nodePeer('http-proxy');
