/** A canvas takes no variables: what they stand for in the theme in force. */
export function colourOf(variable: string): string {
  const known = cache.get(variable);
  if (known !== undefined) return known;
  const probe = document.createElement('span');
  probe.style.color = `var(${variable})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  cache.set(variable, colour);
  return colour;
}

const cache = new Map<string, string>();

/** After a change of theme. */
export function forgetColours(): void {
  cache.clear();
}
