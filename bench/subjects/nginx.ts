import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../lib/bench.ts';
import { launch } from '../lib/process.ts';
import { type RunningSubject, type Subject, startOn, type Upstreams } from './subject.ts';

/**
 * nginx as its manual advises for this job: one worker, a sticky split by
 * split_clients over the user's id, kept-alive upstream connections, a request
 * id, no log; with `mirror`, a copy of each request to the shadow as well.
 */
function nginxConfig(port: number, folder: string, upstreams: Upstreams, mirror: boolean): string {
  return `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr error;
worker_rlimit_nofile 20000;
events { worker_connections 19000; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_timeout 75s;
  keepalive_requests 100000000;
  client_max_body_size 0;
  client_body_buffer_size 64k;
  proxy_max_temp_file_size 0;
  split_clients "iris-api$http_x_user_id" $version { 5% canary; * stable; }
  upstream stable { server 127.0.0.1:${upstreams.stable}; keepalive 128; keepalive_requests 100000000; }
  upstream canary { server 127.0.0.1:${upstreams.canary}; keepalive 128; keepalive_requests 100000000; }
  upstream shadow { server 127.0.0.1:${upstreams.shadow}; keepalive 128; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    proxy_set_header X-Request-Id $request_id;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    location / {
      ${mirror ? 'mirror /shadow; mirror_request_body on;' : 'proxy_request_buffering off;'}
      proxy_pass http://$version;
    }
    location = /shadow { internal; proxy_pass http://shadow$request_uri; }
  }
}
`;
}

function startNginx(
  bench: Bench,
  upstreams: Upstreams,
  name: string,
  mirror: boolean,
): Promise<RunningSubject> {
  return startOn(name, (port) => {
    const folder = join(bench.folder, `nginx-${port}`);
    // nginx drops its rights when started by root, and must still reach its temporary folders.
    mkdirSync(folder, { mode: 0o777 });
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, nginxConfig(port, folder, upstreams, mirror));
    return launch({ name, command: 'nginx', args: ['-p', folder, '-c', file], cpus: bench.pinning.proxy });
  });
}

function nginxSubject(name: string, mirror: boolean): Subject {
  return {
    name,
    missing: (bench) => (bench.tools.nginx ? null : 'nginx is not installed'),
    start: (bench, upstreams) => startNginx(bench, upstreams, name, mirror),
  };
}

export const nginx = nginxSubject('nginx', false);
export const nginxMirror = nginxSubject('nginx+mirror', true);
