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

/** Whether a person's browser asks: only those name HTML; programs take anything. */
export function wantsHtml(accept: string | undefined): boolean {
  return (accept ?? '').split(',').some((range) => {
    const [type, ...params] = range.split(';').map((part) => part.trim().toLowerCase());
    return type === 'text/html' && weightOf(params) > 0;
  });
}

export type Encoding = 'br' | 'gzip' | 'identity';

/**
 * The smallest form that may be sent, by Accept-Encoding (RFC 9110 section 12.5.3): brotli before
 * gzip, whatever their weights, as long as they are not 0; what is not named goes by `*`, if that is.
 */
export function encodingFor(acceptEncoding: string | undefined): Encoding {
  const weights = new Map<string, number>();
  for (const item of (acceptEncoding ?? '').split(',')) {
    const [coding = '', ...params] = item.split(';').map((part) => part.trim().toLowerCase());
    if (coding !== '') weights.set(coding, weightOf(params));
  }
  const takes = (coding: Encoding) => (weights.get(coding) ?? weights.get('*') ?? 0) > 0;
  return takes('br') ? 'br' : takes('gzip') ? 'gzip' : 'identity';
}

function weightOf(params: readonly string[]): number {
  const told = params.find((param) => param.startsWith('q='));
  if (told === undefined) return 1;
  const weight = Number(told.slice(2));
  return weight >= 0 && weight <= 1 ? weight : 0;
}
