import type { FastifyInstance } from 'fastify';
import { prefersOpenMetrics } from '../negotiate.ts';

/** The tally's exposition, as far as a scrape needs it. */
export interface MetricsSource {
  contentType(openMetrics: boolean): string;
  render(openMetrics: boolean): Promise<string>;
}

export function metricsRoute(app: FastifyInstance, metrics: MetricsSource): void {
  app.get('/metrics', async (request, reply) => {
    const openMetrics = prefersOpenMetrics(request.headers.accept);
    reply.header('content-type', metrics.contentType(openMetrics)).header('vary', 'accept');
    return metrics.render(openMetrics);
  });
}
