import { Agent, type IncomingMessage, request } from 'node:http';
import { CookieJar } from './cookie-jar.ts';
import type { CrowdStats, Sighting } from './crowd-stats.ts';
import { SPECIES } from './iris-data.ts';
import { type Visit, type VisitPlan, visits } from './visits.ts';

/**
 * Simulated users of a gateway. Most send a user id; the anonymous keep whatever cookies they are
 * given. Arrivals do not wait for answers (an open loop): a slow gateway gets no mercy.
 */
export interface CrowdOptions {
  readonly plan: VisitPlan;
  /** Where they POST to. */
  readonly url: string;
  readonly stats: CrowdStats;
  /** Requests on their way at one time; visits beyond it are counted as held back. */
  readonly maxInFlight: number;
  /** When a user gives up. */
  readonly timeoutMs: number;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

export interface Crowd {
  /** Nobody comes any more; resolves when the last answer is in. */
  stop(): Promise<void>;
}

const MAX_ANSWER_BYTES = 64 * 1024;

export function startCrowd(options: CrowdOptions): Crowd {
  const agent = new Agent({ keepAlive: true, maxSockets: options.maxInFlight });
  const jars = new Map<number, CookieJar>();
  const inFlight = new Set<Promise<void>>();
  const plan = visits(options.plan);
  let next = plan.next().value;
  let dueMs = options.nowMs() + next.gapMs;
  let timer = setTimeout(pump, next.gapMs);

  function pump(): void {
    while (dueMs <= options.nowMs()) {
      admit(next);
      next = plan.next().value;
      dueMs += next.gapMs;
    }
    timer = setTimeout(pump, Math.max(0, dueMs - options.nowMs()));
  }

  function admit(visit: Visit): void {
    if (inFlight.size >= options.maxInFlight) {
      options.stats.heldBack += 1;
      return;
    }
    const done = send(visit, options, agent, jarOf(visit)).then((sighting) => {
      options.stats.record(sighting, options.nowMs());
      inFlight.delete(done);
    });
    inFlight.add(done);
  }

  function jarOf(visit: Visit): CookieJar | null {
    if (visit.userId !== null) return null;
    const jar = jars.get(visit.user) ?? new CookieJar();
    jars.set(visit.user, jar);
    return jar;
  }

  return {
    async stop() {
      clearTimeout(timer);
      await Promise.all(inFlight);
      agent.destroy();
    },
  };
}

/** Never rejects: whatever goes wrong is what the user saw. */
function send(visit: Visit, options: CrowdOptions, agent: Agent, jar: CookieJar | null): Promise<Sighting> {
  const beganMs = options.nowMs();
  return new Promise((resolve) => {
    const lost = (version: string | null) =>
      resolve({ version, status: null, durationMs: options.nowMs() - beganMs, answer: null });
    const body = JSON.stringify({ features: visit.flower });
    const outgoing = request(options.url, { method: 'POST', agent, headers: headersOf(visit, body, jar) });
    const deadline = setTimeout(() => outgoing.destroy(), options.timeoutMs);
    outgoing.once('close', () => clearTimeout(deadline));
    outgoing.on('error', () => lost(null));
    outgoing.once('response', (response) => {
      jar?.take(response.headers['set-cookie']);
      const version = versionOf(response);
      readText(response).then(
        (text) =>
          resolve({
            version,
            status: response.statusCode ?? 0,
            durationMs: options.nowMs() - beganMs,
            answer: response.statusCode === 200 ? judge(text, visit) : null,
          }),
        () => lost(version),
      );
    });
    outgoing.end(body);
  });
}

function headersOf(visit: Visit, body: string, jar: CookieJar | null): Record<string, string | number> {
  const cookie = jar?.header();
  return {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(visit.userId === null ? {} : { 'x-user-id': visit.userId }),
    ...(cookie ? { cookie } : {}),
  };
}

function versionOf(response: IncomingMessage): string | null {
  const header = response.headers['x-coalmine-version'];
  return typeof header === 'string' ? header : null;
}

/** Rejects when the answer is cut, or longer than any that a model gives. */
async function readText(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MAX_ANSWER_BYTES) throw new Error('the answer is too long');
  }
  return text;
}

/** The user knows which flower it was; null when the answer makes no sense. */
function judge(text: string, visit: Visit): Sighting['answer'] {
  try {
    const { prediction, confidence } = JSON.parse(text) as Record<string, unknown>;
    const label = (SPECIES as readonly unknown[]).indexOf(prediction);
    if (label < 0 || typeof confidence !== 'number') return null;
    return { prediction: SPECIES[label]!, confidence, right: label === visit.label };
  } catch {
    return null;
  }
}
