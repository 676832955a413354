import type { Tone } from '../logic/standing.ts';

/** Signs beside words: they repeat what is said, so they have no names of their own. */

const PATHS = {
  pass: 'M3 8.5l3.2 3.2L13 4.8',
  fail: 'M4 4l8 8M12 4l-8 8',
  wait: 'M8 4v4.2l2.6 1.8M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z',
  warn: 'M8 2.2l6.2 11.3H1.8zM8 6.5v3.2M8 11.4v.4',
  unknown: 'M5.6 5.8a2.4 2.4 0 1 1 3.3 2.3c-.6.3-.9.7-.9 1.5M8 12v.3',
  calm: 'M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 6.3a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.2l7.5 4.8L5 12.8z',
  back: 'M6.5 3.5L2.5 7.5l4 4M3 7.5h6.5a4 4 0 0 1 0 6H8',
  on: 'M3 13V9.5h4V6h4V2.5h3',
  here: 'M8 13V3.5M4 7l4-3.8L12 7',
  dot: 'M8 8h.01',
  system: 'M2.5 3h11v7.5h-11zM6 13.5h4M8 10.5v3',
  light:
    'M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6zM8 1.3v1.5M8 13.2v1.5M1.3 8h1.5M13.2 8h1.5M3.3 3.3l1 1M11.7 11.7l1 1M3.3 12.7l1-1M11.7 4.3l1-1',
  dark: 'M13 9.8A5.5 5.5 0 0 1 6.2 3a5.5 5.5 0 1 0 6.8 6.8z',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width={size} height={size} aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

const TONE_ICONS: Readonly<Record<Tone, IconName>> = {
  calm: 'calm',
  good: 'pass',
  watch: 'warn',
  harm: 'fail',
  unknown: 'unknown',
};

export function ToneIcon({ tone, size = 16 }: { readonly tone: Tone; readonly size?: number }) {
  return (
    <span class={`tone-icon tone-${tone}`}>
      <Icon name={TONE_ICONS[tone]} size={size} />
    </span>
  );
}

/** The colour and the dash of a version, as its lines have them. */
export function Swatch({ slot }: { readonly slot: number }) {
  return (
    <svg
      class={`swatch slot-${slot}`}
      viewBox="0 0 20 10"
      width="20"
      height="10"
      aria-hidden="true"
      focusable="false"
    >
      <line x1="1" y1="5" x2="19" y2="5" />
    </svg>
  );
}

/** The mark of the house: a rollout's stairs. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" width="24" height="24" aria-hidden="true" focusable="false">
      <path class="mark-line" d="M5 25V7h22" />
      <path class="mark-stairs" d="M5 25h9v-6h6v-6h7" />
    </svg>
  );
}
