import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Fault, readFault, trainingOf } from './faults.ts';
import { type IrisModel, type Profile, trainIris } from './iris-model.ts';
import { BadInput, readPredictBody } from './predict-body.ts';

/**
 * One iris model behind HTTP: POST /predict, GET /healthz, GET and PUT /faults.
 * Kept lean, because the bench uses it as its upstream.
 */
export interface ModelServiceOptions {
  /** Answered as `modelVersion`. */
  readonly version: string;
  readonly profile: Profile;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly fault: Fault;
  /** Uniform in [0, 1); decides which requests a fault hits. */
  readonly random: () => number;
}

export interface ModelService {
  readonly url: string;
  close(): Promise<void>;
}

/** Trains, then listens. Rejects when the port cannot be had. */
export async function startModelService(options: ModelServiceOptions): Promise<ModelService> {
  const state = newState(options);
  const server = createServer((request, response) => handle(state, request, response));
  // Longer than any gateway keeps an idle connection, so that it is never this side that closes one
  // just as a request is on its way.
  server.keepAliveTimeout = 120_000;
  await listen(server, options.port, options.host);
  const { port } = server.address() as AddressInfo;
  return { url: `http://${options.host}:${port}`, close: () => close(server) };
}

interface State {
  readonly options: ModelServiceOptions;
  fault: Fault;
  model: IrisModel;
}

function newState(options: ModelServiceOptions): State {
  return { options, fault: options.fault, model: trainIris(options.profile, trainingOf(options.fault)) };
}

const MAX_BODY_BYTES = 1024 * 1024;

type Action = (state: State, request: IncomingMessage, response: ServerResponse) => void;

const health: Action = ({ options }, _, response) =>
  answer(response, 200, { status: 'ok', modelVersion: options.version });
const showFault: Action = ({ fault }, _, response) => answer(response, 200, fault);

const ROUTES: ReadonlyMap<string, ReadonlyMap<string, Action>> = new Map([
  ['/predict', new Map([['POST', predict]])],
  [
    '/healthz',
    new Map([
      ['GET', health],
      ['HEAD', health],
    ]),
  ],
  [
    '/faults',
    new Map([
      ['GET', showFault],
      ['PUT', setFault],
    ]),
  ],
]);

function handle(state: State, request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? '/';
  const query = url.indexOf('?');
  const route = ROUTES.get(query < 0 ? url : url.slice(0, query));
  const action = route?.get(request.method ?? '');
  if (action) {
    action(state, request, response);
  } else if (route) {
    const allowed = [...route.keys()].join(', ');
    response.setHeader('allow', allowed);
    answer(response, 405, { error: 'method_not_allowed', message: `allowed here: ${allowed}` });
  } else {
    answer(response, 404, { error: 'not_found', message: 'there are /predict, /healthz and /faults' });
  }
}

function predict(state: State, request: IncomingMessage, response: ServerResponse): void {
  readJson(request, response, (json) => {
    const body = readPredictBody(json);
    const { fault, model } = state;
    const { version, random } = state.options;
    const send = () =>
      body.kind === 'one'
        ? answer(response, 200, { ...model(body.flower), modelVersion: version })
        : answer(response, 200, { predictions: body.flowers.map(model), modelVersion: version });
    if (fault.mode === 'errors' && random() < fault.rate) {
      answer(response, 500, { error: 'inference_failed', message: 'the model gave no answer' });
    } else if (fault.mode === 'slow' && random() < fault.rate) {
      later(response, fault.latencyMs, send);
    } else {
      send();
    }
  });
}

/** The new model is trained before it is answered; a request on its way keeps the old one. */
function setFault(state: State, request: IncomingMessage, response: ServerResponse): void {
  readJson(request, response, (json) => {
    const fault = readFault(json);
    state.model = trainIris(state.options.profile, trainingOf(fault));
    state.fault = fault;
    answer(response, 200, fault);
  });
}

function later(response: ServerResponse, delayMs: number, send: () => void): void {
  const timer = setTimeout(send, delayMs);
  response.once('close', () => clearTimeout(timer));
}

/** Collects a bounded body and hands its JSON on; what `use` throws as BadInput becomes a 400. */
function readJson(request: IncomingMessage, response: ServerResponse, use: (json: unknown) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    else if (!response.headersSent) {
      // The rest is not waited for, so the connection cannot be used again.
      response.setHeader('connection', 'close');
      answer(response, 413, {
        error: 'too_large',
        message: `the body must not exceed ${MAX_BODY_BYTES} bytes`,
      });
    }
  });
  request.on('end', () => {
    if (response.headersSent) return;
    try {
      use(parse(Buffer.concat(chunks).toString('utf8')));
    } catch (error) {
      if (!(error instanceof BadInput)) throw error;
      answer(response, 400, { error: 'bad_input', message: error.message });
    }
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadInput('the body is not valid JSON');
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
