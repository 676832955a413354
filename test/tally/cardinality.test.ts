import t from 'tap';
import { METHODS, methodIndex, REQUEST_SLOTS, type Tally } from '../../src/core/tally.ts';
import { createExposition } from '../../src/tally/exposition.ts';
import { beginRequest, endRequest, Recorder } from '../../src/tally/recorder.ts';
import { split } from '../support/split.ts';
import { parseExposition, serviceOf } from './support.ts';

/** Numbers that only look random, so that a failure can be seen again. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Methods as a hostile client makes them up, among the usual ones. */
function methodOf(random: () => number): string {
  const known = METHODS[Math.floor(random() * METHODS.length)] as string;
  return random() < 0.5 ? known : `M${Math.floor(random() * 1e9).toString(36)}`;
}

const LABELS = /^http_requests_total\{app="iris-api",method="(\w+)",status="(\d{3})",version="v1"\}$/;

t.test('100,000 random methods and statuses make no more series than there are slots', async (t) => {
  const recorder = new Recorder();
  const current = split([serviceOf('iris-api', ['v1'])]);
  const [tally] = recorder.open(current.services[0] as (typeof current.services)[0]) as [Tally];
  const exposition = createExposition({
    recorder,
    split: () => current,
    reloads: () => ({ ok: 0, failed: 0 }),
  });
  const random = sequence(1);
  const classes = new Map<string, number>();
  const send = (requests: number) => {
    for (let i = 0; i < requests; i++) {
      // Mostly what an upstream may answer, and some that no HTTP answer has.
      const status = Math.floor(random() * 700);
      const name = String(Math.floor(status / 100));
      const counted = status >= 100 && status <= 599 ? name : '5';
      classes.set(counted, (classes.get(counted) ?? 0) + 1);
      beginRequest(tally, i % 5);
      endRequest(tally, methodIndex(methodOf(random)), status, random() * 100, random() * 50);
    }
  };
  const scrape = async () => [...parseExposition(await exposition.render(false)).samples];
  const isOurs = ([series]: [string, number]) => !/^(process|nodejs)_/.test(series);

  send(50_000);
  const first = (await scrape()).filter(isOurs).map(([series]) => series);
  send(50_000);
  const last = (await scrape()).filter(isOurs);
  t.strictSame(
    last.map(([series]) => series),
    first,
    'the second half adds no series',
  );

  const requests = last.filter(([series]) => series.startsWith('http_requests_total'));
  t.ok(requests.length <= REQUEST_SLOTS, `${requests.length} series`);
  const told = new Map<string, number>();
  for (const [series, count] of requests) {
    const [, method = '', status = ''] = LABELS.exec(series) ?? [];
    t.ok((METHODS as readonly string[]).includes(method), series);
    const name = status.slice(0, 1);
    told.set(name, (told.get(name) ?? 0) + count);
  }
  t.strictSame(
    [...told].sort(),
    [...classes].sort(),
    'every request is there, under the class of its status (a status out of range as a 5xx)',
  );
});
