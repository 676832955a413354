import { isFailure, MAX_CHOICES } from './openai.ts';
import { isObject } from './pointer.ts';

/**
 * An OpenAI-compatible stream put together as the answer that it would have been
 * without streaming, as far as it is read: every member of the chunks, the choices'
 * finish reasons, the usage. A stream that was cut off lacks what had not come yet.
 */
export function assembleStream(text: string): Readonly<Record<string, unknown>> {
  let answer: Readonly<Record<string, unknown>> = {};
  let usage: unknown;
  const reasons = new Map<number, unknown>();
  for (const data of eventsOf(text)) {
    const chunk = parsed(data);
    if (!isObject(chunk)) continue;
    if (isObject(chunk.usage)) usage = chunk.usage;
    noteChoices(chunk.choices, reasons);
    answer = { ...answer, ...chunk };
  }
  const choices = [...reasons].sort(([a], [b]) => a - b).map(([index, reason]) => choiceOf(index, reason));
  // A failure half-way leaves choices that will never finish.
  const failed = isFailure(answer) && choices.every(({ finish_reason }) => finish_reason === null);
  return { ...answer, choices: failed ? [] : choices, usage };
}

function noteChoices(choices: unknown, reasons: Map<number, unknown>): void {
  if (!Array.isArray(choices)) return;
  for (const choice of choices.slice(0, MAX_CHOICES)) {
    if (!isObject(choice)) continue;
    const { index = 0, finish_reason: reason = null } = choice;
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= MAX_CHOICES) continue;
    if (reason !== null || !reasons.has(index)) reasons.set(index, reason);
  }
}

function choiceOf(index: number, reason: unknown) {
  return { index, finish_reason: reason };
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    // `[DONE]`, or the event at which a sample was cut off.
    return null;
  }
}

/** The data of server-sent events (WHATWG HTML, section 9.2.6), also of one that its blank line does not end. */
function* eventsOf(text: string): Generator<string> {
  let data: string[] = [];
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line === '') {
      if (data.length > 0) yield data.join('\n');
      data = [];
    } else if (line.startsWith('data:')) {
      data.push(line.slice(line.startsWith(' ', 5) ? 6 : 5));
    }
  }
  if (data.length > 0) yield data.join('\n');
}
