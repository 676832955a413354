import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launch } from '../lib/process.ts';
import { type Subject, startOn, type Upstreams } from './subject.ts';

/** HAProxy with one thread: a sticky split by a hash of the user's id, kept-alive servers, a request id, no log. */
function haproxyConfig(port: number, upstreams: Upstreams): string {
  return `global
  nbthread 1
  maxconn 12000
  no strict-limits
defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 60s
  option http-keep-alive
  http-reuse always
frontend front
  bind 127.0.0.1:${port} backlog 4096
  maxconn 12000
  unique-id-format %[uuid()]
  unique-id-header x-request-id
  option forwardfor
  use_backend canary if { req.hdr(x-user-id),xxh32,mod(10000) -m int lt 500 }
  default_backend stable
backend stable
  server one 127.0.0.1:${upstreams.stable}
backend canary
  server one 127.0.0.1:${upstreams.canary}
`;
}

export const haproxy: Subject = {
  name: 'haproxy',
  missing: (bench) => (bench.tools.haproxy ? null : 'haproxy is not installed'),
  start: (bench, upstreams) =>
    startOn('haproxy', (port) => {
      const file = join(bench.folder, `haproxy-${port}.cfg`);
      writeFileSync(file, haproxyConfig(port, upstreams));
      return launch({
        name: 'haproxy',
        command: 'haproxy',
        args: ['-db', '-f', file],
        cpus: bench.pinning.proxy,
      });
    }),
};
