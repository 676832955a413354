import type { ComponentChildren } from 'preact';

interface SectionProps {
  readonly id: string;
  readonly title: string;
  /** Beside the title, in a few words. */
  readonly note?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A part of a page, with its name in the margin. */
export function Section({ id, title, note, children }: SectionProps) {
  return (
    <section class={`section section-${id}`} aria-labelledby={`${id}-title`}>
      <div class="section-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {note === undefined ? null : <div class="section-note">{note}</div>}
      </div>
      <div class="section-body">{children}</div>
    </section>
  );
}
