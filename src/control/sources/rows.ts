/** A queue of equally long rows of numbers in one array, which grows to `maxRows` and no further. */
export class Rows {
  readonly width: number;
  readonly #maxRows: number;
  #data: Float64Array;
  #rows: number;
  #head = 0;
  #length = 0;

  constructor(width: number, maxRows: number) {
    this.width = width;
    this.#maxRows = maxRows;
    this.#rows = Math.min(4, maxRows);
    this.#data = new Float64Array(this.#rows * width);
  }

  get length(): number {
    return this.#length;
  }

  get isFull(): boolean {
    return this.#length === this.#maxRows;
  }

  /** Row 0 is the oldest. */
  at(row: number, column: number): number {
    return this.#data[this.#offset(row) + column] as number;
  }

  set(row: number, column: number, value: number): void {
    this.#data[this.#offset(row) + column] = value;
  }

  /** The row itself, until the next `push`. */
  row(row: number): Float64Array {
    const offset = this.#offset(row);
    return this.#data.subarray(offset, offset + this.width);
  }

  /** Copies `values` in; the queue must not be full. */
  push(values: Float64Array): void {
    if (this.isFull) throw new Error(`there is no room for more than ${this.#maxRows} rows`);
    if (this.#length === this.#rows) this.#grow();
    this.#length++;
    this.#data.set(values, this.#offset(this.#length - 1));
  }

  /** Forgets the oldest. */
  shift(): void {
    this.#head = (this.#head + 1) % this.#rows;
    this.#length--;
  }

  #offset(row: number): number {
    return ((this.#head + row) % this.#rows) * this.width;
  }

  #grow(): void {
    const rows = Math.min(this.#rows * 2, this.#maxRows);
    const data = new Float64Array(rows * this.width);
    for (let i = 0; i < this.#length; i++) data.set(this.row(i), i * this.width);
    this.#data = data;
    this.#rows = rows;
    this.#head = 0;
  }
}
