import Type from 'typebox';
import { DEFAULTS } from '../defaults.ts';
import { count, duration, section, text, word } from './build.ts';

/** What keeps a user on one version. */
export const stickySchema = section(
  {
    by: Type.Array(
      text('keySource', 'a source of keys', {
        description: '`header:NAME`, `cookie:NAME`, `query:NAME` or `ip`.',
      }),
      {
        description:
          'Where a user’s key is read, in order; the first one present counts. `header:NAME`, `cookie:NAME`, `query:NAME` or `ip` (behind `trustProxy` the client’s; IPv6 by its /64). Without any key and without `issueCookie` each request is assigned at random.',
        default: [],
        maxItems: 16,
        'x-type': 'a list of `header:NAME`, `cookie:NAME`, `query:NAME`, `ip`',
        'x-hint': 'write a list such as [header:x-user-id, cookie:uid, ip]',
      },
    ),
    mode: word(['hash', 'session'], {
      description:
        '`hash`: the key’s bucket alone decides, the same in every replica. `session`: the first version is pinned for a time in this process.',
      default: DEFAULTS.sticky.mode,
    }),
    session: section(
      {
        ttl: duration(
          { min: '1s', max: '24h' },
          {
            description: 'How long a user stays pinned, from the first request on.',
            default: DEFAULTS.sticky.sessionTtl,
          },
        ),
        max: count(1, 10_000_000, {
          description: 'Users pinned at one time; the least recent are forgotten first.',
          default: DEFAULTS.sticky.sessionMax,
        }),
      },
      { description: 'For `mode: session`.' },
    ),
    issueCookie: section(
      {
        name: text('cookie', 'a cookie name', {
          description: 'Name of the cookie.',
          default: DEFAULTS.issueCookie.name,
        }),
        maxAge: duration(
          { min: '1s', max: '400d' },
          {
            description: 'How long the browser keeps it; browsers cap it at 400 days.',
            default: DEFAULTS.issueCookie.maxAge,
          },
        ),
        secret: Type.String({
          description:
            'Key that signs the ids, 16 characters at least, the same in every replica. Take it from an environment variable rather than writing it here.',
          minLength: 16,
          maxLength: 1_024,
          'x-secret': true,
          'x-type': 'text (16 characters at least)',
          'x-default': 'made at start: ids end with the process, and no other replica knows them',
        }),
        domain: text('host', 'a host', {
          description: 'Domain attribute of the cookie.',
          'x-default': 'none: the host that set it',
        }),
      },
      {
        description:
          'Gives users who have no key a signed id in a cookie (HttpOnly, SameSite=Lax, Secure under TLS). `{}` turns it on with every default.',
        'x-default': 'none',
      },
    ),
  },
  { description: 'What keeps a user on one version.' },
);
