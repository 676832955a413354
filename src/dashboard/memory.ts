/** What a browser remembers. Where it may not, the page works without. */

export const tokens = {
  /** Null: none was given in this tab. */
  get: (): string | null => read(() => sessionStorage, 'coalmine.token'),
  set: (token: string): void => write(() => sessionStorage, 'coalmine.token', token),
};

/** Who presses the buttons, for the history. */
export const names = {
  get: (): string => read(() => localStorage, 'coalmine.name') ?? '',
  set: (name: string): void => write(() => localStorage, 'coalmine.name', name),
};

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export const themes = {
  get: (): Theme => THEMES.find((theme) => theme === read(() => localStorage, 'coalmine.theme')) ?? 'system',
  set: (theme: Theme): void => write(() => localStorage, 'coalmine.theme', theme),
};

function read(storage: () => Storage, key: string): string | null {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

function write(storage: () => Storage, key: string, value: string): void {
  try {
    storage().setItem(key, value);
  } catch {
    // It is forgotten with the page.
  }
}
