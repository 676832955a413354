import { appendFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * An upstream in a process of its own, so that it can be killed. It writes the
 * number of every request into its ledger before it answers, in one call to the
 * kernel, so that the ledger is complete whenever and however the process ends.
 *
 *     node --import tsx upstream-main.ts NAME LEDGER PORT DELAY_MS
 */
const [name = '', ledger = '', port = '0', delayMs = '0'] = process.argv.slice(2);

const server = http.createServer((request, response) => {
  const id = String(request.headers['x-load-id'] ?? '');
  if (id !== '') appendFileSync(ledger, `${id} ${request.method} ${name}\n`);
  request.resume().on('end', () => {
    const body = JSON.stringify({ id, server: name });
    setTimeout(() => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
      response.end(body);
    }, Number(delayMs));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(port), '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
