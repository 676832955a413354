import { useEffect, useState } from 'preact/hooks';
import type { ExplainBody } from '../../../admin/contract.ts';
import { bucketLines, explainQuery } from '../../logic/buckets.ts';
import { hashOf } from '../../logic/route.ts';
import { slotOf } from '../../logic/slots.ts';
import type { Answer } from '../../net/api.ts';
import { Swatch } from '../icons.tsx';
import type { Scene } from '../scene.ts';
import { Lines } from './lines.tsx';

/** Typing is not asked about letter by letter. */
const QUIET_MS = 250;

export function ExplainPage({ scene, query }: { readonly scene: Scene; readonly query: URLSearchParams }) {
  const [key, setKey] = useState(query.get('key') ?? '');
  const [headers, setHeaders] = useState(query.getAll('header').join('\n'));
  const [path, setPath] = useState(query.get('path') ?? '');
  const asked = explainQuery(key, headers, path).toString();
  const answer = useAnswer(scene, asked);
  return (
    <div class="explain">
      <form class="explain-form" onSubmit={(event) => event.preventDefault()}>
        <p class="lead">Where does a request go, and why?</p>
        <Sources scene={scene} />
        <p class="field">
          <label for="explain-key">User key</label>
          <input
            id="explain-key"
            autocomplete="off"
            spellcheck={false}
            placeholder="ada"
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </p>
        <p class="field">
          <label for="explain-headers">Headers, one a line</label>
          <textarea
            id="explain-headers"
            rows={3}
            spellcheck={false}
            placeholder="x-canary: always"
            value={headers}
            onInput={(event) => setHeaders(event.currentTarget.value)}
          />
        </p>
        <p class="field">
          <label for="explain-path">Path, if rules look at it</label>
          <input
            id="explain-path"
            autocomplete="off"
            spellcheck={false}
            placeholder={scene.overview?.match.path ?? '/'}
            value={path}
            onInput={(event) => setPath(event.currentTarget.value)}
          />
        </p>
      </form>
      <div class="explain-answer">{answer === null ? null : <Told scene={scene} answer={answer} />}</div>
    </div>
  );
}

/** Asks anew when the question or the weights in force change; the address keeps the question. */
function useAnswer({ session, focus, overview }: Scene, asked: string): Answer<ExplainBody> | null {
  const [answer, setAnswer] = useState<Answer<ExplainBody> | null>(null);
  const { name, rollout } = focus;
  const weights = JSON.stringify([
    overview?.versions.map(({ weight }) => weight),
    rollout?.step,
    rollout?.status,
  ]);
  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      history.replaceState(
        null,
        '',
        hashOf({ page: 'explain', service: name, query: new URLSearchParams(asked) }),
      );
      const got = await session.api.get<ExplainBody>(
        `services/${encodeURIComponent(name)}/explain?${asked}`,
        stop.signal,
      );
      if (!stop.signal.aborted) setAnswer(got);
    }, QUIET_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [session, name, asked, weights]);
  return answer;
}

function Sources({ scene: { detail } }: { readonly scene: Scene }) {
  if (detail === null) return null;
  const { by, issueCookie } = detail.sticky;
  const first = by[0] ?? (issueCookie === null ? null : `cookie ${issueCookie.name}`);
  return (
    <p class="muted">
      {first === null
        ? 'This service has no key: every request is drawn anew.'
        : `The key is read from ${by.length > 1 ? `the first of ${by.join(', ')}` : first}. The same key always gets the same bucket.`}
    </p>
  );
}

function Told({ scene, answer }: { readonly scene: Scene; readonly answer: Answer<ExplainBody> }) {
  if (!answer.ok) {
    return (
      <p class="problem" role="alert">
        {answer.message}
      </p>
    );
  }
  const { value } = answer;
  const { version, because, bucket, key, rule, notes } = value;
  const lines = bucketLines(value, scene.stable, scene.canary);
  return (
    <>
      <div role="status">
        <p class="explain-version">
          {version === null ? (
            'Left to chance'
          ) : (
            <>
              <Swatch slot={slotOf(scene.slots, version)} /> {version}
            </>
          )}
        </p>
        <p class="lead">{because}.</p>
      </div>
      <dl class="explain-facts num">
        <div>
          <dt>Bucket</dt>
          <dd>{bucket === null ? '–' : bucket}</dd>
        </div>
        <div>
          <dt>Key</dt>
          <dd>{key === null ? '–' : `${key.value} (${key.source})`}</dd>
        </div>
        <div>
          <dt>Rule</dt>
          <dd>{rule === null ? 'none holds' : rule.id}</dd>
        </div>
      </dl>
      <Lines scene={scene} lines={lines} bucket={bucket} />
      {notes.length === 0 ? null : (
        <ul class="notes muted">
          {notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </>
  );
}
