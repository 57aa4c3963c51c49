import { describe, expect, test } from "vitest";
import { fromDriver, SinkError, StatementError, toSinkError } from "./sink-error.ts";
import { classifySqlState } from "./sqlstate.ts";

describe("what a SQLSTATE asks for", () => {
  test.each([
    ["22P05", "data"],
    ["22P02", "data"],
    ["22003", "data"],
    ["21000", "attempt"],
    ["23505", "data"],
    ["23514", "data"],
    ["54000", "data"],
    ["40001", "again"],
    ["40P01", "again"],
    ["55P03", "again"],
    ["40002", "attempt"],
    ["55006", "attempt"],
    ["25006", "service"],
    ["25P03", "service"],
    ["25P02", "attempt"],
    ["08006", "service"],
    ["53100", "service"],
    ["53300", "service"],
    ["57P01", "service"],
    ["57014", "service"],
    ["42P01", "broken"],
    ["42501", "broken"],
    ["28P01", "broken"],
    ["3D000", "broken"],
    ["3F000", "broken"],
    ["0A000", "broken"],
    ["XX000", "attempt"],
    ["P0001", "attempt"],
  ])("%s: %s", (sqlState, verdict) => {
    expect(classifySqlState(sqlState)).toBe(verdict);
  });
});

describe("errors that leave the package", () => {
  test("the server's word keeps its code", () => {
    const error = fromDriver(Object.assign(new Error("no"), { severity: "ERROR", code: "42P01" }));
    expect(error).toBeInstanceOf(StatementError);
    expect(toSinkError(error)).toMatchObject({ kind: "broken", sqlState: "42P01", message: "no (42P01)" });
    expect(toSinkError(error).isRetryable()).toBe(false);
  });

  test.each([
    [
      "Node's error, whose code could be a SQLSTATE",
      Object.assign(new Error("write EPIPE"), { code: "EPIPE" }),
      "write EPIPE",
    ],
    ["an event of a WebSocket", { type: "error", message: "closed" }, "closed"],
    ["nothing at all", undefined, "the connection to the database failed"],
    [
      "both addresses of localhost",
      new AggregateError([new Error("::1"), new Error("127.0.0.1")], ""),
      "::1; 127.0.0.1",
    ],
  ])("a connection that is gone is the service's: %s", (_name, thrown, message) => {
    const error = toSinkError(fromDriver(thrown));
    expect(error).toBeInstanceOf(SinkError);
    expect(error).toMatchObject({ kind: "service", sqlState: null, message });
    expect(error.isRetryable()).toBe(true);
  });

  test("what bisecting and retrying could not settle counts an attempt", () => {
    expect(toSinkError(new StatementError("deadlock", "40P01")).kind).toBe("attempt");
    expect(toSinkError(new StatementError("too long", "54000")).kind).toBe("attempt");
  });

  test("a fault of our own counts an attempt, too", () => {
    expect(toSinkError(new TypeError("x is undefined"))).toMatchObject({ kind: "attempt", sqlState: null });
  });
});
