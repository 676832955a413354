/**
 * The floor: node:http in, undici's dispatch out, nothing else.
 *
 * Written as lean as a competent person would: raw headers both ways (no header
 * objects), undici's callback handler (no promises), bodies streamed with
 * back-pressure, the upstream request cancelled when the client goes away. No
 * hop-by-hop handling, no routing, no ids, no metrics, one upstream.
 */
import { createServer, type ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';

class Pipe implements Dispatcher.DispatchHandler {
  readonly #res: ServerResponse;
  #abort: (() => void) | null = null;
  #resume: (() => void) | null = null;

  constructor(res: ServerResponse) {
    this.#res = res;
    res.on('close', () => {
      if (!res.writableFinished) this.#abort?.();
    });
  }

  onConnect(abort: () => void): void {
    if (this.#res.destroyed) abort();
    else this.#abort = abort;
  }

  onHeaders(status: number, rawHeaders: Buffer[], resume: () => void): boolean {
    if (status < 200) return true;
    const headers: string[] = new Array(rawHeaders.length);
    for (let i = 0; i < rawHeaders.length; i++) headers[i] = (rawHeaders[i] as Buffer).toString('latin1');
    this.#res.writeHead(status, headers);
    this.#resume = resume;
    return true;
  }

  onData(bytes: Buffer): boolean {
    if (this.#res.write(bytes)) return true;
    this.#res.once('drain', this.#resume as () => void);
    return false;
  }

  onComplete(): void {
    this.#abort = null;
    this.#res.end();
  }

  onError(error: Error): void {
    this.#abort = null;
    if (this.#res.headersSent) this.#res.destroy(error);
    else this.#res.writeHead(502).end();
  }
}

const [port, upstream] = process.argv.slice(2);
const pool = new Pool(`http://127.0.0.1:${upstream}`, { connections: 128, pipelining: 1 });

const server = createServer((req, res) => {
  const method = req.method as Dispatcher.HttpMethod;
  const body = method === 'GET' || method === 'HEAD' ? null : req;
  pool.dispatch({ path: req.url ?? '/', method, headers: req.rawHeaders, body }, new Pipe(res));
});
server.keepAliveTimeout = 75_000;
server.listen(Number(port), '127.0.0.1', 4096);
process.on('disconnect', () => process.exit());
