/** One user's cookies for one site: enough for a user who keeps what he is given. */
export class CookieJar {
  static readonly #MAX_COOKIES = 20;
  readonly #cookies = new Map<string, string>();

  /** Attributes are ignored, but that a Max-Age of 0 takes the cookie away. */
  take(setCookies: readonly string[] | undefined): void {
    for (const line of setCookies ?? []) {
      const [pair, ...attributes] = line.split(';');
      const equals = pair!.indexOf('=');
      if (equals <= 0) continue;
      const name = pair!.slice(0, equals).trim();
      if (attributes.some((attribute) => /^\s*max-age=0\s*$/i.test(attribute))) this.#cookies.delete(name);
      else if (this.#cookies.has(name) || this.#cookies.size < CookieJar.#MAX_COOKIES) {
        this.#cookies.set(name, pair!.slice(equals + 1).trim());
      }
    }
  }

  /** The Cookie header's value; null when there is nothing to send. */
  header(): string | null {
    if (this.#cookies.size === 0) return null;
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }
}
