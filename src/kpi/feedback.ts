/** Feedback: what became of a prediction, as it is reported. Comes from outside, so nothing of it is believed. */
export type Feedback =
  | { readonly by: 'id'; readonly id: string; readonly kpi: string; readonly value: number }
  | {
      readonly by: 'key';
      readonly service: string;
      readonly key: string;
      readonly kpi: string;
      readonly value: number;
    };

const MAX_NAME_CHARS = 256;
const MAX_KEY_CHARS = 4_096;

/** `{id, kpi, value}` or `{service, key, kpi, value}`, and not both; null for anything else. */
export function feedbackOf(raw: unknown): Feedback | null {
  if (typeof raw !== 'object' || raw === null) return null;
  const { id, service, key, kpi, value } = raw as Readonly<Record<string, unknown>>;
  if (!isText(kpi, MAX_NAME_CHARS) || typeof value !== 'number' || !Number.isFinite(value)) return null;
  if (typeof id === 'string') {
    return service === undefined && key === undefined ? { by: 'id', id, kpi, value } : null;
  }
  if (id !== undefined || !isText(service, MAX_NAME_CHARS) || !isText(key, MAX_KEY_CHARS)) return null;
  return { by: 'key', service, key, kpi, value };
}

function isText(value: unknown, maxChars: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxChars;
}
