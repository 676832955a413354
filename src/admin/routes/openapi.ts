import type { FastifyInstance } from 'fastify';
import { API } from '../contract.ts';

/** `GET openapi.json`: what every other route takes and answers, for programs that make clients. */
export function openApiRoute(app: FastifyInstance): void {
  // Loaded and made when somebody first asks, and kept: it is the same for the whole life of the process.
  let text: Promise<string> | null = null;
  app.get(`${API}/openapi.json`, async (_request, reply) => {
    text ??= makeText();
    return reply.header('content-type', 'application/json; charset=utf-8').send(await text);
  });
}

async function makeText(): Promise<string> {
  const { openApiDocument } = await import('../openapi/document.ts');
  return JSON.stringify(openApiDocument());
}
