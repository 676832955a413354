import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Test } from 'tap';
import { Bell } from './wait.ts';

/**
 * A receiver of traces: OTLP/HTTP with JSON, strict. What it takes is checked
 * against the JSON form of opentelemetry-proto's ExportTraceServiceRequest
 * (OTLP specification, "JSON Protobuf Encoding"): ids in hex, 64-bit numbers as
 * texts, enums as numbers, names in lowerCamelCase, nothing that is not known.
 */

const text = { type: 'string' };
const int64 = { type: 'string', pattern: '^-?(0|[1-9][0-9]{0,18})$' };
const object = (properties: object, required: readonly string[] = []) => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
});
const list = (items: object) => ({ type: 'array', items });
const anyValue = {
  oneOf: [
    object({ stringValue: text }, ['stringValue']),
    object({ intValue: int64 }, ['intValue']),
    object({ boolValue: { type: 'boolean' } }, ['boolValue']),
    object({ doubleValue: { type: 'number' } }, ['doubleValue']),
  ],
};
const attributes = list(object({ key: { type: 'string', minLength: 1 }, value: anyValue }, ['key', 'value']));
const hex = (digits: number) => ({ type: 'string', pattern: `^(?!0+$)[0-9a-f]{${digits}}$` });
/** 2001 to 2286: not milliseconds, not microseconds. */
const nanos = { type: 'string', pattern: '^[1-9][0-9]{18}$' };
const span = object(
  {
    traceId: hex(32),
    spanId: hex(16),
    parentSpanId: hex(16),
    traceState: text,
    flags: { type: 'integer', minimum: 0, maximum: 0xffffffff },
    name: { type: 'string', minLength: 1 },
    kind: { enum: [1, 2, 3, 4, 5] },
    startTimeUnixNano: nanos,
    endTimeUnixNano: nanos,
    attributes,
    status: object({ code: { enum: [0, 1, 2] }, message: text }),
  },
  ['traceId', 'spanId', 'name', 'kind', 'startTimeUnixNano', 'endTimeUnixNano', 'attributes', 'status'],
);
const scopeSpans = object(
  { scope: object({ name: text, version: text }, ['name']), spans: { ...list(span), minItems: 1 } },
  ['scope', 'spans'],
);
const request = object(
  {
    resourceSpans: list(
      object({ resource: object({ attributes }, ['attributes']), scopeSpans: list(scopeSpans) }, [
        'resource',
        'scopeSpans',
      ]),
    ),
  },
  ['resourceSpans'],
);
const isRequest = new Ajv2020({ allErrors: true }).compile<WireRequest>(request);

type Value = { stringValue: string } | { intValue: string } | { boolValue: boolean };
interface WireAttribute {
  readonly key: string;
  readonly value: Value;
}
interface WireSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly flags?: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly WireAttribute[];
  readonly status: { readonly code?: number };
}
interface WireRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly WireAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

/** A span as it came, its attributes as a mapping. */
export interface Received extends Omit<WireSpan, 'attributes'> {
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly resource: Readonly<Record<string, string | number | boolean>>;
}

/** The spans of a body; throws where it is not OTLP. */
export function decodeOtlp(body: string): Received[] {
  const value: unknown = JSON.parse(body);
  if (!isRequest(value)) throw new Error(`not OTLP: ${JSON.stringify(isRequest.errors)}`);
  return value.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((one) => {
        if (BigInt(one.endTimeUnixNano) < BigInt(one.startTimeUnixNano))
          throw new Error('ends before it begins');
        return { ...one, attributes: mapped(one.attributes), resource: mapped(resource.attributes) };
      }),
    ),
  );
}

function mapped(list: readonly WireAttribute[]): Record<string, string | number | boolean> {
  const keys = list.map(({ key }) => key);
  if (new Set(keys).size < keys.length) throw new Error(`an attribute twice: ${keys}`);
  return Object.fromEntries(list.map(({ key, value }) => [key, plain(value)]));
}

function plain(value: Value): string | number | boolean {
  if ('intValue' in value) return Number(value.intValue);
  return 'boolValue' in value ? value.boolValue : value.stringValue;
}

export interface OtlpCall {
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly spans: readonly Received[];
}

/** What becomes of a request; null: it is left without an answer. */
export interface OtlpAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export interface Receiver {
  readonly url: string;
  readonly calls: OtlpCall[];
  /** What was no sound OTLP. */
  readonly faults: string[];
  /** Of the requests that were answered with 200. */
  taken(): Received[];
  answer: (nth: number) => OtlpAnswer | null;
  until(holds: () => boolean, what: string): Promise<void>;
}

export async function startReceiver(t: Test, port = 0): Promise<Receiver> {
  const bell = new Bell();
  const taken: Received[] = [];
  const server = http.createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of req) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    try {
      if (req.method !== 'POST') throw new Error(`${req.method}`);
      if (req.headers['content-type'] !== 'application/json')
        throw new Error(`${req.headers['content-type']}`);
      const spans = decodeOtlp(Buffer.concat(chunks).toString('utf8'));
      receiver.calls.push({ path: req.url ?? '', headers: req.headers, spans });
      const answer = receiver.answer(receiver.calls.length - 1);
      if (answer?.status === 200) taken.push(...spans);
      if (answer !== null) {
        res.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
        res.end(answer.body ?? '{"partialSuccess":{}}');
      }
    } catch (error) {
      receiver.faults.push(String(error));
      res.writeHead(400).end();
    }
    bell.ring();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.teardown(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    calls: [],
    faults: [],
    taken: () => taken,
    answer: () => ({ status: 200 }),
    until: (holds, what) =>
      bell.until(
        holds,
        () => `${what}; ${receiver.calls.length} requests, faults: ${receiver.faults}`,
        20_000,
      ),
  };
  return receiver;
}
