/** A message may quote the condition, and a condition may be long. */
const MAX_MESSAGE_CHARS = 240;

/** What is wrong with a condition, or went wrong in it; never leaves this folder. `at` is a 0-based offset. */
export class ConditionFault extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message.length > MAX_MESSAGE_CHARS ? `${message.slice(0, MAX_MESSAGE_CHARS)}…` : message);
    this.name = 'ConditionFault';
    this.at = at;
  }
}

export function fail(message: string, at: number): never {
  throw new ConditionFault(message, at);
}
