/** Reads an array of decoded CBOR field by field and checks each, so that the results have the declared types. */

/** A message does not have the expected layout. `message` says where; it quotes nothing from outside. */
export class LayoutError extends Error {
  override readonly name = "LayoutError";
  isRetryable(): boolean {
    return false;
  }
}

export class FieldReader {
  readonly #what: string;
  readonly #fields: readonly unknown[];
  #next = 0;

  /** @throws LayoutError, as every method does. `length` is checked here if it is known in advance. */
  constructor(what: string, value: unknown, length?: number) {
    if (!Array.isArray(value)) throw new LayoutError(`${what} is not an array`);
    this.#what = what;
    this.#fields = value;
    if (length !== undefined && value.length !== length) throw this.#error(`has ${value.length} fields, not ${length}`);
  }

  text(): string {
    const value = this.#take();
    return typeof value === "string" ? value : this.#fail("a text");
  }

  textOrNull(): string | null {
    const value = this.#take();
    return typeof value === "string" || value === null ? value : this.#fail("a text or null");
  }

  integer(): number {
    const value = this.#take();
    return typeof value === "number" && Number.isSafeInteger(value) ? value : this.#fail("an integer");
  }

  number(): number {
    const value = this.#take();
    return typeof value === "number" && Number.isFinite(value) ? value : this.#fail("a number");
  }

  boolean(): boolean {
    const value = this.#take();
    return typeof value === "boolean" ? value : this.#fail("true or false");
  }

  bytes(): Uint8Array {
    const value = this.#take();
    return value instanceof Uint8Array ? value : this.#fail("bytes");
  }

  bytesOrNull(): Uint8Array | null {
    const value = this.#take();
    return value instanceof Uint8Array || value === null ? value : this.#fail("bytes or null");
  }

  list(): readonly unknown[] {
    const value = this.#take();
    return Array.isArray(value) ? value : this.#fail("an array");
  }

  /** Every field has been read. */
  get isAtEnd(): boolean {
    return this.#next >= this.#fields.length;
  }

  /** Returns `result` if every field has been read. */
  end<Result>(result: Result): Result {
    if (this.#next !== this.#fields.length) throw this.#error(`has ${this.#fields.length} fields, not ${this.#next}`);
    return result;
  }

  #take(): unknown {
    return this.#fields[this.#next++];
  }

  #fail(expected: string): never {
    throw this.#error(`has no ${expected} in field ${this.#next - 1}`);
  }

  #error(problem: string): LayoutError {
    return new LayoutError(`${this.#what} ${problem}`);
  }
}
