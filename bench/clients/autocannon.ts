/**
 * autocannon in a process of its own. argv: {port, seconds} and a Load;
 * stdout: a SaturationResult as JSON.
 */
import autocannon from 'autocannon';
import { BODY, PATH, userId } from '../lib/request.ts';

interface Settings {
  readonly port: number;
  readonly seconds: number;
  readonly connections: number;
  readonly path?: string;
  readonly bodyBytes?: number;
  readonly host?: string;
  readonly services?: number;
  readonly header?: string;
}

/** Requests prepared per connection; autocannon copies them for each. */
const PREPARED = 256;

const settings = JSON.parse(process.argv[2] ?? '{}') as Settings;
const bodyBytes = settings.bodyBytes ?? 0;
const body = bodyBytes > 0 ? 'x'.repeat(bodyBytes) : BODY;

function headersOf(index: number): Record<string, string> {
  const headers: Record<string, string> = { 'x-user-id': userId(index), 'content-type': 'application/json' };
  const { host, services = 1, header } = settings;
  if (host !== undefined) headers.host = host.replace('%d', String((index * 7919) % services));
  const [name = '', value = ''] = header?.split(': ') ?? [];
  if (name !== '') headers[name] = value;
  return headers;
}

const result = await autocannon({
  url: `http://127.0.0.1:${settings.port}`,
  connections: settings.connections,
  duration: settings.seconds,
  requests: Array.from({ length: bodyBytes > 0 ? 1 : PREPARED }, (_, i) => ({
    method: 'POST' as const,
    path: settings.path ?? PATH,
    headers: headersOf(i),
    body,
  })),
});
process.stdout.write(
  `${JSON.stringify({
    requests: result.requests.total,
    durationUs: result.duration * 1e6,
    errors: result.errors + result.timeouts + result.non2xx,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
  })}\n`,
);
