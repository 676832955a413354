import { isObject } from './pointer.ts';
import type { Observation } from './spec.ts';
import { classOf, NOTHING } from './values.ts';

/** How long an answer took, as the client saw it. */
export interface Timing {
  /** To the answer's first byte: of a stream, to its first token. */
  readonly ttfbMs: number;
  readonly durationMs: number;
}

/** Choices of one answer that are read. */
export const MAX_CHOICES = 128;

/**
 * OpenAI-compatible completions and chat completions: each choice's finish reason
 * as its class, the completion's tokens as its score, evenly over the choices
 * (`usage` does not tell them apart).
 */
export function readOpenai(json: unknown): Observation[] {
  if (!isObject(json)) return [];
  const choices = Array.isArray(json.choices) ? json.choices.slice(0, MAX_CHOICES) : [];
  // A stream that fails half-way says so in an event of its own, under the status 200.
  if (choices.length === 0) return isFailure(json) ? [{ ...NOTHING, class: 'error' }] : [];
  const tokens = tokensOf(json, 'completion_tokens');
  const score = tokens === null ? null : tokens / choices.length;
  return choices.map((choice: unknown) => ({
    class: isObject(choice) ? classOf(choice.finish_reason, []) : null,
    confidence: null,
    score,
  }));
}

/** As OpenAI says it, as text-generation-inference does (a text), and as older vLLM did (an object of that kind). */
export function isFailure({ error, object }: Readonly<Record<string, unknown>>): boolean {
  return isObject(error) || (typeof error === 'string' && error !== '') || object === 'error';
}

/**
 * The answer with what was measured of it as members of its own, so that pointers
 * reach it: `/tokensPerSecond`, `/ttfbMs`, `/durationMs`, `/completionTokens`,
 * `/promptTokens`. Tokens a second are those of the completion over the whole duration.
 */
export function withMeasured(json: unknown, timing: Timing | null): unknown {
  if (!isObject(json)) return json;
  const completion = tokensOf(json, 'completion_tokens');
  const prompt = tokensOf(json, 'prompt_tokens');
  return {
    ...(completion === null ? {} : { completionTokens: completion }),
    ...(prompt === null ? {} : { promptTokens: prompt }),
    ...(timing === null ? {} : { ttfbMs: timing.ttfbMs, durationMs: timing.durationMs }),
    ...(completion === null || timing === null
      ? {}
      : { tokensPerSecond: (completion * 1_000) / timing.durationMs }),
    ...json,
  };
}

function tokensOf({ usage }: Readonly<Record<string, unknown>>, name: string): number | null {
  const tokens = isObject(usage) ? usage[name] : null;
  return typeof tokens === 'number' && tokens >= 0 && Number.isFinite(tokens) ? tokens : null;
}
