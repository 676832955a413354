/**
 * Rows of numbers by step, never more than `capacity`: when full, every second row is dropped and
 * from then on every second step is left out. What is kept is how things stood at the end of a
 * row's steps, so the last of them counts. NaN: nothing is known.
 */
export class ThinningRows {
  readonly width: number;
  readonly #capacity: number;
  readonly #first: number;
  #rows: (Float64Array | null)[] = [];
  #every = 1;

  /** `first`: the first step there may be a row of. */
  constructor(capacity: number, width: number, first: number) {
    this.#capacity = capacity;
    this.width = width;
    this.#first = first;
  }

  /** Steps a row stands for: a power of two. */
  get every(): number {
    return this.#every;
  }

  get length(): number {
    return this.#rows.length;
  }

  /** Whether the step is the last one of its row: others are not kept. */
  takes(step: number): boolean {
    return (step - this.#first + 1) % this.#every === 0;
  }

  /** Steps rise from call to call; those left out are unknown. `row` is copied. */
  set(step: number, row: ArrayLike<number>): void {
    while (this.#indexOf(step) >= this.#capacity) this.#thin();
    if (!this.takes(step)) return;
    const index = this.#indexOf(step);
    while (this.#rows.length < index) this.#rows.push(null);
    this.#rows[index] = Float64Array.from(row);
  }

  at(index: number, column: number): number {
    return this.#rows[index]?.[column] ?? Number.NaN;
  }

  /** The step at whose end a row was taken. */
  stepOf(index: number): number {
    return this.#first + (index + 1) * this.#every - 1;
  }

  #indexOf(step: number): number {
    return Math.ceil((step - this.#first + 1) / this.#every) - 1;
  }

  #thin(): void {
    this.#rows = this.#rows.filter((_, index) => index % 2 === 1);
    this.#every *= 2;
  }
}
