/**
 * Which version has which colour, dash and sign, the same everywhere on the page: stable the first, the
 * canary the second, the others as the config lists them.
 */
export type Slots = ReadonlyMap<string, number>;

/** More versions than this share the last look. */
export const SLOTS = 6;

/** How a line of a slot is dashed, in pixels; none is solid. */
export const DASHES: readonly (readonly number[])[] = [[5, 3], [], [1.5, 2.5], [9, 3, 2, 3], [12, 4], [2, 6]];

export interface Named {
  readonly name: string;
  readonly role: string;
}

/** `canary`: of the rollout, where there is one; its role may be gone after an abort. */
export function slotsOf(versions: readonly Named[], canary: string | null): Slots {
  const rank = ({ name, role }: Named) => {
    if (role === 'stable') return 0;
    if (name === canary) return 1;
    return role === 'canary' ? 2 : 3;
  };
  const stable = versions.some(({ role }) => role === 'stable');
  const order = versions
    .map((version, index) => ({ name: version.name, rank: rank(version), index }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index);
  return new Map(order.map(({ name }, i) => [name, Math.min(SLOTS - 1, stable ? i : i + 1)]));
}

export function slotOf(slots: Slots, name: string): number {
  return slots.get(name) ?? SLOTS - 1;
}
