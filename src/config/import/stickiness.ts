import type { Affinity } from './ingress.ts';
import { type Out, plain, type Sheet } from './sheet.ts';

const DAY_S = 86_400;
/** What browsers allow, and the config. */
const MAX_COOKIE_S = 400 * DAY_S;

/** How NGINX's affinity, or the lack of it, becomes `sticky`. */
export function stickyOf(affinity: Affinity | null, sheet: Sheet): Out {
  if (affinity === null) return sheet.flow({ issueCookie: sheet.flow({}) });
  const seconds = affinity.maxAgeS ?? DAY_S;
  const cookieS = Math.min(seconds, MAX_COOKIE_S);
  const issueCookie = sheet.flow(
    {
      name: plain(affinity.cookie),
      maxAge: `${cookieS}s`,
      domain: affinity.domain === null ? undefined : plain(affinity.domain),
    },
    affinity.at,
  );
  if (affinity.maxAgeS === null) {
    affinity.at.note('without session-cookie-max-age the cookie ends with the browser; here it lasts a day');
  } else if (cookieS < seconds) affinity.at.note('session-cookie-max-age is cut to 400 days, as browsers do');
  if (!affinity.pinsVersions) {
    affinity.at.note(
      'affinity-canary-behavior legacy deals every request anew; here the cookie keeps its version',
    );
    return sheet.map({ issueCookie });
  }
  const ttlS = Math.min(seconds, DAY_S);
  if (ttlS < seconds)
    affinity.at.note('a version is pinned for 24 hours at most; after that the bucket decides');
  return sheet.map({ mode: 'session', session: sheet.flow({ ttl: `${ttlS}s` }), issueCookie });
}

export function stickyComment(affinity: Affinity | null): string {
  const better = 'Where requests name their user, add a source of keys, such as by: [header:x-user-id].';
  const secret = 'Give issueCookie a secret (16 characters, from the environment) when there are replicas.';
  if (affinity === null) {
    return [
      'NGINX without affinity deals every request anew. Here an issued cookie keeps a browser on its version;',
      'clients that keep no cookies are still dealt request by request.',
      better,
      secret,
    ].join('\n');
  }
  return [
    'The affinity cookie. Its old values mean nothing here: users are dealt anew once.',
    better,
    secret,
  ].join('\n');
}
