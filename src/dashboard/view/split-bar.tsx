import { weight as weightText } from '../format.ts';
import { type Slots, slotOf } from '../logic/slots.ts';

export interface Portion {
  readonly name: string;
  /** Percent. */
  readonly weight: number;
}

/** Who serves whom, as one bar; words stand beside it, so it says itself only to eyes. */
export function SplitBar({
  portions,
  slots,
  tall = false,
}: {
  readonly portions: readonly Portion[];
  readonly slots: Slots;
  readonly tall?: boolean;
}) {
  return (
    <div class={tall ? 'split split-tall' : 'split'} aria-hidden="true">
      {portions
        .filter(({ weight }) => weight > 0)
        .map(({ name, weight }) => (
          <div key={name} class={`split-part fill-${slotOf(slots, name)}`} style={{ flexGrow: weight }}>
            {tall && weight >= 12 ? <span>{`${name} ${weightText(weight)}`}</span> : null}
          </div>
        ))}
    </div>
  );
}
