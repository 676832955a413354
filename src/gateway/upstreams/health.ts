import { request } from 'undici';
import type { HealthCheck } from '../../core/model.ts';
import type { Log } from '../../ports.ts';
import type { Endpoint } from './endpoint.ts';
import type { EndpointGroup } from './group.ts';

/** Active checks of one group; runs until `stop`. */
export class HealthChecker {
  readonly #spec: HealthCheck;
  readonly #log: Log;
  readonly #labels: object;
  readonly #stopping = new AbortController();

  constructor(
    group: EndpointGroup,
    spec: HealthCheck,
    labels: { service: string; version: string },
    log: Log,
  ) {
    this.#spec = spec;
    this.#log = log;
    this.#labels = labels;
    for (const endpoint of group.endpoints) void this.#watch(endpoint);
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #watch(endpoint: Endpoint): Promise<void> {
    const { intervalMs, healthyThreshold, unhealthyThreshold } = this.#spec;
    let inRow = 0;
    while (!this.#stopping.signal.aborted) {
      const ok = await this.#probe(endpoint);
      if (this.#stopping.signal.aborted) return;
      inRow = ok === endpoint.healthy ? 0 : inRow + 1;
      if (inRow >= (ok ? healthyThreshold : unhealthyThreshold)) {
        inRow = 0;
        endpoint.healthy = ok;
        const fields = { ...this.#labels, endpoint: endpoint.origin };
        if (ok) this.#log.info(fields, 'endpoint is healthy again');
        else this.#log.warn(fields, 'endpoint is unhealthy');
      }
      await this.#sleep(intervalMs);
    }
  }

  async #probe(endpoint: Endpoint): Promise<boolean> {
    const { path, timeoutMs } = this.#spec;
    try {
      const answer = await request(endpoint.origin + path, {
        dispatcher: endpoint.probe(timeoutMs),
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        signal: AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(timeoutMs)]),
        headers: { 'user-agent': 'coalmine-health' },
      });
      await answer.body.dump();
      return answer.statusCode >= 200 && answer.statusCode < 400;
    } catch {
      return false;
    }
  }

  #sleep(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      timer.unref();
      signal.addEventListener('abort', done);
    });
  }
}
