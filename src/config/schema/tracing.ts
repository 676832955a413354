import { DEFAULTS } from '../defaults.ts';
import { anyPercentText, count, duration, section, text } from './build.ts';
import { headersSchema } from './headers.ts';

const base = DEFAULTS.tracing;

/** Traces of requests: where they go, and of how many. */
export const tracingSchema = section(
  {
    sample: anyPercentText({
      description:
        'Share of the requests that are traced. It counts for those that begin a trace here; a `traceparent` that comes with a request decides for itself, by its sampled flag.',
      default: base.sample,
    }),
    perSecond: count(1, 10_000, {
      description:
        'Requests traced in a second at most, those included whose `traceparent` asks for it; what is over is passed on untraced, and counted.',
      default: base.perSecond,
    }),
    serviceName: text('label', 'a name', {
      description: 'What traces call this gateway (`service.name`).',
      default: base.serviceName,
    }),
    headers: headersSchema('Headers sent to the receiver, such as its credentials.'),
    timeout: duration(
      { min: '100ms', max: '1m' },
      {
        description: 'How long one attempt at delivering spans may take.',
        default: base.timeout,
      },
    ),
  },
  {
    description:
      'OpenTelemetry traces, sent by OTLP over HTTP with JSON. A receiver that is slow or away is never felt by a request: spans are dropped then, and counted.',
    'x-default': 'nothing is traced',
    'x-hint': 'write { endpoint: http://otel-collector:4318/v1/traces }',
  },
  {
    endpoint: text('traceUrl', 'a URL', {
      description: 'Where spans are sent: an OTLP/HTTP receiver, with its path (`/v1/traces`).',
    }),
  },
);
