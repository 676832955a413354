import t from 'tap';
import { judgedView } from '../../src/control/judge/view.ts';
import type { GateState } from '../../src/core/judge/gates.ts';
import { verdict } from '../control/judge/support.ts';
import { rolloutView } from '../control/support.ts';
import { startTestAdmin } from './support.ts';

const VERDICT = '/api/v1/rollouts/iris-api/verdict';
const GATE = '/api/v1/rollouts/iris-api/gate';

/** As Flagger sends it. */
const PAYLOAD = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{"name":"iris","namespace":"models","phase":"Progressing","checksum":"85d557f47b","metadata":{"a":"b"}}',
};

function judged(state: GateState, ready = state === 'PASS') {
  return judgedView(verdict({ state, text: state, advance: { toleratedRate: 0.02, ready, why: 'because' } }));
}

t.test('the verdict of a rollout', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  control.fake.views.set('iris-api', rolloutView());
  const facts = {
    service: 'iris-api',
    number: 3,
    status: 'stepping',
    stepsLeft: 1,
    canary: 'v2',
    revision: '2.1.0',
  };
  const none = await ask(VERDICT);
  t.equal(none.status, 200);
  t.strictSame(none.json(), {
    ...facts,
    result: 'none',
    text: 'nothing of iris-api was judged yet',
    verdict: null,
    gates: [],
  });
  const view = judgedView(verdict());
  control.fake.views.set('iris-api', rolloutView(view));
  t.strictSame((await ask(VERDICT)).json(), {
    ...facts,
    result: 'continue',
    text: view.verdict?.text,
    ...view,
  });
  t.match((await ask('/api/v1/rollouts/iris-api')).json(), view, 'and as a part of the rollout');
  t.match((await ask(`${VERDICT}?revision=2.1.0`)).json(), { result: 'continue' });
  t.match((await ask(`${VERDICT}?revision=2.2.0`)).json(), { result: 'none', text: /not 2\.2\.0/ });
});

t.test('the verdict of a service without a rollout, and of none', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  control.judged = judged('PASS');
  t.match((await ask(VERDICT)).json(), {
    number: null,
    status: null,
    result: 'pass',
    verdict: { state: 'PASS' },
  });
  control.judge = null;
  t.match((await ask(VERDICT)).json(), { result: 'none', text: 'iris-api has no gates' });
  const nobody = await ask('/api/v1/rollouts/nobody/verdict');
  t.equal(nobody.status, 404);
  t.match(nobody.json(), { error: 'unknown_service', message: /there are: iris-api/ });
});

t.test('Flagger is answered as it understands: 200 or not', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  const statuses = async (state: GateState, ready?: boolean) => {
    control.judged = judged(state, ready);
    const answers = ['advance', 'promote', 'rollback'].map((what) => ask(`${GATE}?ask=${what}`, PAYLOAD));
    return (await Promise.all(answers)).map(({ status }) => status);
  };
  t.strictSame(await statuses('PASS'), [200, 200, 409]);
  t.strictSame(await statuses('CONTINUE', true), [200, 409, 409]);
  t.strictSame(await statuses('CONTINUE'), [409, 409, 409]);
  t.strictSame(await statuses('ERROR'), [409, 409, 409]);
  t.strictSame(await statuses('FAIL'), [409, 409, 200], 'the canary is to be taken back');
  const other = await Promise.all(
    ['advance', 'promote', 'rollback'].map((what) => ask(`${GATE}?ask=${what}&revision=2.2.0`, PAYLOAD)),
  );
  t.strictSame(
    other.map(({ status }) => status),
    [409, 409, 409],
    'another revision',
  );
});

t.test('a yes and a no say why', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  control.judged = judged('CONTINUE', true);
  t.strictSame((await ask(`${GATE}?ask=advance`, PAYLOAD)).json(), {
    service: 'iris-api',
    ask: 'advance',
    result: 'continue',
    message: 'because',
  });
  t.strictSame((await ask(`${GATE}?ask=promote`, PAYLOAD)).json(), {
    error: 'not_now',
    message: 'no: CONTINUE',
  });
});

t.test('a body is not needed, and what is wrong is no yes', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  control.judged = judged('FAIL');
  t.equal((await ask(`${GATE}?ask=rollback`, { method: 'POST' })).status, 200);
  const json = { 'content-type': 'application/json' };
  t.equal((await ask(`${GATE}?ask=rollback`, { method: 'POST', headers: json, body: '' })).status, 200);
  const table: readonly (readonly [string, number, RegExp])[] = [
    [GATE, 400, /ask must be one of advance, promote, rollback/],
    [`${GATE}?ask=no`, 400, /ask must be one of/],
    [`${GATE}?ask=rollback&ask=rollback`, 400, /ask must be one of/],
    [`${GATE}?ask=rollback&x=1`, 400, /unknown parameter "x"; known: revision, ask/],
    [`${GATE}?ask=rollback&revision=`, 400, /revision must be/],
    [`${GATE}?ask=rollback&revision=a&revision=b`, 400, /revision must be/],
    [`${GATE}?ask=rollback&revision=${'x'.repeat(257)}`, 400, /256 characters/],
    ['/api/v1/rollouts/nobody/gate?ask=rollback', 404, /there is no service nobody/],
  ];
  for (const [path, status, message] of table) {
    const answer = await ask(path, PAYLOAD);
    t.equal(answer.status, status, path);
    t.match(answer.json().message, message, path);
  }
  t.match((await ask(`${VERDICT}?ask=advance`)).json(), {
    message: /unknown parameter "ask"; known: revision/,
  });
  t.equal((await ask(`${GATE}?ask=rollback`, { ...PAYLOAD, body: '{' })).status, 400);
  t.equal((await ask(`${GATE}?ask=rollback`)).status, 404, 'a GET asks nothing');
});

t.test('Flagger can carry the token in the URL only', async (t) => {
  const { ask, control } = await startTestAdmin(t, { token: 's3cret:with/colon' });
  control.judged = judged('FAIL');
  const asked = (user: string) => {
    const authorization = `Basic ${Buffer.from(user).toString('base64')}`;
    return ask(`${GATE}?ask=rollback`, { ...PAYLOAD, headers: { ...PAYLOAD.headers, authorization } });
  };
  t.equal((await asked('flagger:s3cret:with/colon')).status, 200);
  t.equal((await asked(':s3cret:with/colon')).status, 200);
  for (const wrong of ['flagger:s3cret', 'flagger:', 's3cret:with/colon:', '', 's3cret']) {
    t.equal((await asked(wrong)).status, 401, wrong);
  }
  t.equal((await ask(`${GATE}?ask=rollback`, PAYLOAD)).status, 401);
});
