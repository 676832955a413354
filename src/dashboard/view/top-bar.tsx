import { useState } from 'preact/hooks';
import { clock } from '../format.ts';
import { THEMES, type Theme, themes } from '../memory.ts';
import type { Freshness } from '../state/freshness.ts';
import type { State } from '../state/model.ts';
import { Icon, Mark } from './icons.tsx';
import { applyTheme } from './theme.ts';

export function TopBar({ state, fresh }: { readonly state: State; readonly fresh: Freshness }) {
  return (
    <header class="top">
      <a class="brand" href="#/">
        <Mark />
        <span>Coalmine</span>
      </a>
      <LinkState state={state} fresh={fresh} />
      <ThemeSwitch />
    </header>
  );
}

function LinkState({ state, fresh }: { readonly state: State; readonly fresh: Freshness }) {
  const { overview } = state;
  if (fresh.stale) return <p class="link link-lost">not live</p>;
  if (overview === null) return <p class="link">connecting…</p>;
  return (
    <p class="link">
      <span class="pulse" aria-hidden="true" />
      <span>
        live <span class="num">{clock(overview.atMs)}</span>
      </span>
      <span class="link-more num">revision {overview.revision}</span>
    </p>
  );
}

const NEXT_LABEL: Readonly<Record<Theme, string>> = { system: 'as the system', light: 'light', dark: 'dark' };

function ThemeSwitch() {
  const [theme, setTheme] = useState(themes.get());
  const choose = (next: Theme) => {
    themes.set(next);
    applyTheme(next);
    setTheme(next);
  };
  return (
    <fieldset class="themes">
      <legend class="sr">Colours</legend>
      {THEMES.map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={one === theme}
          title={NEXT_LABEL[one]}
          onClick={() => choose(one)}
        >
          <Icon name={one} size={14} />
          <span class="sr">{NEXT_LABEL[one]}</span>
        </button>
      ))}
    </fieldset>
  );
}
