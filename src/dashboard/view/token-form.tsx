import { useState } from 'preact/hooks';
import type { Session } from '../session.ts';

/** Where the API wants a token. It is kept by this tab only. */
export function TokenForm({ session, refused }: { readonly session: Session; readonly refused: boolean }) {
  const [token, setToken] = useState('');
  const submit = (event: Event) => {
    event.preventDefault();
    if (token.trim() !== '') session.signIn(token.trim());
  };
  return (
    <main id="content" class="token" tabIndex={-1}>
      <h1>Who is there?</h1>
      <p>
        This gateway's admin API is behind a token: the one of <code>admin.token</code> in its config. It is
        kept in this tab only, and gone when you close it.
      </p>
      <form onSubmit={submit}>
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={token}
          aria-invalid={refused}
          aria-describedby={refused ? 'token-refused' : undefined}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <button type="submit" class="btn btn-strong">
          Let me in
        </button>
        <p id="token-refused" class="problem" role="alert">
          {refused ? 'This token was refused.' : ''}
        </p>
      </form>
    </main>
  );
}
