/** Counts checks and prints one line for each; the sum is the last line of the output. */

export class Report {
  passed = 0;
  failed = 0;
  skipped = 0;
  /** @param {(line: string) => void} print */
  constructor(print) {
    this.print = print;
  }

  /**
   * Passes when `body` resolves.
   * @param {string} name
   * @param {() => unknown} body
   * @returns {Promise<boolean>}
   */
  async check(name, body) {
    try {
      await body();
      this.passed += 1;
      this.print(`ok   ${name}`);
      return true;
    } catch (error) {
      this.failed += 1;
      this.print(`FAIL ${name}\n     ${String(error?.message ?? error).replaceAll("\n", "\n     ")}`);
      return false;
    }
  }

  /** @param {string} name */
  skip(name) {
    this.skipped += 1;
    this.print(`skip ${name}`);
  }

  sum() {
    return `${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped`;
  }
}
