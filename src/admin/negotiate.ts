/**
 * Whether a scraper would rather have OpenMetrics than Prometheus' own text
 * format, by the weights of its Accept header (RFC 9110 section 12.5.1). Only
 * who names OpenMetrics gets it.
 */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  let openMetrics = 0;
  let text = 0;
  for (const range of accept.split(',')) {
    const [type = '', ...params] = range.split(';').map((part) => part.trim().toLowerCase());
    const weight = weightOf(params);
    if (type === 'application/openmetrics-text') openMetrics = Math.max(openMetrics, weight);
    else if (type === 'text/plain') text = Math.max(text, weight);
  }
  return openMetrics > 0 && openMetrics >= text;
}

function weightOf(params: readonly string[]): number {
  const told = params.find((param) => param.startsWith('q='));
  if (told === undefined) return 1;
  const weight = Number(told.slice(2));
  return weight >= 0 && weight <= 1 ? weight : 0;
}
