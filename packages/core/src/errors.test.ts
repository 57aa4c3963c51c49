import { describe, expect, test } from "vitest";
import { type ClassifiedError, ConfigError, describeError, isRetryable, UsageError } from "./errors.ts";

class BusyError extends Error implements ClassifiedError {
  override readonly name = "BusyError";
  isRetryable(): boolean {
    return true;
  }
}

describe("isRetryable", () => {
  test.each<readonly [string, unknown, boolean]>([
    ["an error that says yes", new BusyError("later"), true],
    ["a configuration error", new ConfigError(["x"]), false],
    ["a usage error", new UsageError("x"), false],
    ["an error that says nothing", new Error("bug"), false],
    ["an error with a property of that name", Object.assign(new Error("x"), { isRetryable: true }), false],
    ["something that is not an error", { isRetryable: () => true }, false],
    ["nothing", undefined, false],
  ])("%s", (_what, error, expected) => {
    expect(isRetryable(error)).toBe(expected);
  });
});

describe("ConfigError", () => {
  test("one problem is the message; several are counted and listed", () => {
    expect(new ConfigError(["A is wrong"]).message).toBe("A is wrong");
    expect(new ConfigError(["A is wrong", "B too"]).message).toBe("2 problems:\nA is wrong\nB too");
    expect(new ConfigError(["A is wrong", "B too"]).problems).toEqual(["A is wrong", "B too"]);
  });
});

describe("describeError", () => {
  test("the causes follow in one line, the name and the code of each in front", () => {
    const socket = Object.assign(new Error("connect failed"), { code: "ECONNREFUSED" });
    const error = new BusyError("cannot send", { cause: new Error("socket", { cause: socket }) });
    expect(describeError(error)).toBe(
      "BusyError: cannot send, because of Error: socket, because of Error ECONNREFUSED: connect failed",
    );
  });

  test("a code that the message holds already, and a wrapper that repeats its cause, are said once", () => {
    const inner = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" });
    expect(describeError(inner)).toBe("Error: connect ECONNREFUSED 127.0.0.1:1");
    expect(describeError(new Error("same", { cause: new Error("same") }))).toBe("Error: same");
  });

  test("an aggregate without a message says what is inside", () => {
    const error = new AggregateError([new Error("::1 refused"), new Error("127.0.0.1 refused")]);
    expect(describeError(error)).toBe("AggregateError: Error: ::1 refused; Error: 127.0.0.1 refused");
  });

  test("what came from the network is escaped, and a novel is cut", () => {
    expect(describeError(new Error("a\n\u001b[31mb\u202e"))).toBe("Error: a\\n\\u001b[31mb\\u202e");
    expect(describeError(new Error("x".repeat(10_000))).length).toBeLessThan(2_100);
  });

  test("a circle of causes ends", () => {
    const error = new Error("round");
    error.cause = new Error("and round", { cause: error });
    expect(describeError(error)).toBe("Error: round, because of Error: and round");
  });

  test.each<readonly [unknown, string]>([
    ["text", "text"],
    [{ code: 7 }, 'thrown {"code":7}'],
    [undefined, "undefined"],
    [null, "null"],
    [7n, "thrown bigint"],
    [new Error(""), "Error"],
  ])("what is not an error: case %#", (thrown, expected) => {
    expect(describeError(thrown)).toBe(expected);
  });
});
