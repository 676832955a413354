import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** A box that scrolls sideways is a stop of the keyboard, but only while there is something to scroll to. */
export function useScrollable<E extends HTMLElement>(): RefObject<E> {
  const box = useRef<E>(null);
  useEffect(() => {
    const element = box.current as E;
    const look = () => {
      const overflows =
        element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight;
      if (overflows) element.tabIndex = 0;
      else element.removeAttribute('tabindex');
    };
    const sizes = new ResizeObserver(look);
    sizes.observe(element);
    for (const child of element.children) sizes.observe(child);
    return () => sizes.disconnect();
  }, []);
  return box;
}

export function Scroll({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ComponentChildren;
}) {
  const box = useScrollable<HTMLElement>();
  return (
    <section class="scroll" aria-label={label} ref={box}>
      {children}
    </section>
  );
}
