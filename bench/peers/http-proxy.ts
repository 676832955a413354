/** The baseline of the field's usual stack: Fastify with @fastify/http-proxy, all defaults, no log. */
import httpProxy from '@fastify/http-proxy';
import Fastify from 'fastify';

const [port, upstream] = process.argv.slice(2);
// The body limit must let the rows with large bodies through; the proxy streams them, so it costs nothing.
const app = Fastify({ logger: false, bodyLimit: 1024 * 1024 * 1024 });
await app.register(httpProxy, { upstream: `http://127.0.0.1:${upstream}` });
await app.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
process.on('disconnect', () => process.exit());
