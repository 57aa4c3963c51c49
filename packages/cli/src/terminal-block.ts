/** One block of lines at the bottom of a terminal, redrawn in place; other lines are printed above it. */
import type { Output } from "./context.ts";

const ESC = "\u001b";

export class TerminalBlock {
  readonly #output: Output;
  #lines: readonly string[] = [];

  constructor(output: Output) {
    this.#output = output;
  }

  draw(lines: readonly string[]): void {
    this.#output.write(`${this.#erase()}${lines.join("\n")}\n`);
    this.#lines = lines;
  }

  /** Prints a line above the block. */
  print(line: string): void {
    const block = this.#lines.length === 0 ? "" : `${this.#lines.join("\n")}\n`;
    this.#output.write(`${this.#erase()}${line}\n${block}`);
  }

  /** Removes the block. */
  clear(): void {
    this.#output.write(this.#erase());
    this.#lines = [];
  }

  /** Moves to the first line of the block and clears from there, in one write, so that it does not flicker. */
  #erase(): string {
    return this.#lines.length === 0 ? "" : `${ESC}[${this.#lines.length}A${ESC}[0J`;
  }
}
