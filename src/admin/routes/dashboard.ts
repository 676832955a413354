import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { encodingFor, wantsHtml } from '../negotiate.ts';
import { INDEX_HTML, type PageFile, type PageFiles } from '../page-files.ts';
import { refuse } from './common.ts';
import { INDEX } from './index.ts';

/** Nothing from elsewhere, nothing inline, in nobody's frame. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** The page holds no data, and it is what asks a person for the token; so only the name is checked. */
const BY_HOST = { config: { access: 'host' } } as const;

const NOT_BUILT = `The dashboard is not here: "npm run build" makes it, in dist/dashboard/. Then start again.

`;

/** `/` for people, `/` for programs, and the files of the page below `/dashboard/`. */
export function dashboardRoutes(app: FastifyInstance, files: PageFiles): void {
  const page = files.get(INDEX_HTML);

  app.get('/', BY_HOST, async (request, reply) => {
    reply.header('vary', 'accept, accept-encoding');
    const html = wantsHtml(request.headers.accept);
    if (html && page !== undefined) return sendFile(request, reply, page);
    reply.header('content-type', 'text/plain; charset=utf-8');
    return html ? NOT_BUILT + INDEX : INDEX;
  });

  app.get<{ Params: { readonly file: string } }>('/dashboard/:file', BY_HOST, async (request, reply) => {
    const file = files.get(request.params.file);
    if (file === undefined)
      return refuse(reply, 404, 'not_found', 'the dashboard has no such file; see GET /');
    reply.header('vary', 'accept-encoding');
    return sendFile(request, reply, file);
  });
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: PageFile): FastifyReply {
  const encoding = encodingFor(request.headers['accept-encoding']);
  const { body, etag } = file.forms[encoding];
  reply.headers({
    etag,
    // Asked for anew each time, and answered with 304: a new version of the gateway shows at once.
    'cache-control': 'no-cache',
    'content-security-policy': PAGE_POLICY,
    'referrer-policy': 'no-referrer',
  });
  if (isHeld(request.headers['if-none-match'], etag)) return reply.code(304).send();
  if (encoding !== 'identity') reply.header('content-encoding', encoding);
  return reply.header('content-type', file.contentType).send(body);
}

/** RFC 9110 section 13.1.2: compared weakly. */
function isHeld(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}
