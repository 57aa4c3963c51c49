import { describe, expect, test } from "vitest";
import { beforeTransaction, fromDriver, PostgresError, StatementError, toSinkError } from "./sink-error.ts";
import { classifySqlState, KNOWN_CLASSES, type Verdict } from "./sqlstate.ts";

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
    ["55006", "service"],
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
    ["XX000", "service"],
    ["P0001", "data"],
  ])("%s: %s", (sqlState, verdict) => {
    expect(classifySqlState(sqlState)).toBe(verdict);
  });
});

/** Every class of the appendix of Postgres 18, and what stands beside it: https://www.postgresql.org/docs/18/errcodes-appendix.html */
const APPENDIX: readonly (readonly [string, Verdict, Verdict])[] = [
  // Class; raised by one of our statements; raised while a trigger of the user ran.
  ["00", "attempt", "data"],
  ["01", "attempt", "data"],
  ["02", "attempt", "data"],
  ["03", "attempt", "data"],
  ["08", "service", "service"],
  ["09", "data", "data"],
  ["0A", "broken", "data"],
  ["0B", "attempt", "data"],
  ["0F", "attempt", "data"],
  ["0L", "broken", "data"],
  ["0P", "broken", "data"],
  ["0Z", "attempt", "data"],
  ["10", "attempt", "data"],
  ["20", "attempt", "data"],
  ["21", "attempt", "data"],
  ["22", "data", "data"],
  ["23", "data", "data"],
  ["24", "attempt", "data"],
  ["25", "service", "service"],
  ["26", "service", "service"],
  ["27", "data", "data"],
  ["28", "broken", "data"],
  ["2B", "attempt", "data"],
  ["2D", "attempt", "data"],
  ["2F", "attempt", "data"],
  ["34", "service", "service"],
  ["38", "data", "data"],
  ["39", "data", "data"],
  ["3B", "attempt", "data"],
  ["3D", "broken", "data"],
  ["3F", "broken", "data"],
  ["40", "service", "service"],
  ["42", "broken", "data"],
  ["44", "data", "data"],
  ["53", "service", "service"],
  ["54", "data", "data"],
  ["55", "service", "service"],
  ["57", "service", "service"],
  ["58", "service", "service"],
  ["72", "service", "service"],
  ["F0", "service", "service"],
  ["HV", "data", "data"],
  ["P0", "data", "data"],
  ["XX", "service", "service"],
];

describe("fault 1: every class of SQLSTATE has a kind", () => {
  test.each(APPENDIX)("%s: %s, in a trigger %s", (name, ours, inTrigger) => {
    const code = `${name}000`;
    expect(classifySqlState(code)).toBe(ours);
    expect(classifySqlState(code, { endsSession: false, inFunction: true })).toBe(inTrigger);
    // What ends the session is never a row's fault.
    expect(classifySqlState(code, { endsSession: true, inFunction: false })).toBe(
      ours === "broken" ? "broken" : "service",
    );
  });

  test("and there is no other", () => {
    expect(KNOWN_CLASSES.toSorted()).toEqual(APPENDIX.map(([name]) => name).toSorted());
  });

  test.each([
    "25P04",
    "25P03",
    "25006",
    "XX000",
    "XX001",
    "XX002",
    "57P05",
    "55006",
    "58P01",
    "08P01",
    "26000",
    "34000",
  ])("%s counts no attempt", (code) => {
    expect(toSinkError(new StatementError("away", code))).toMatchObject({ kind: "service", sqlState: code });
  });

  test.each(["P0001", "22012", "21000", "25P02", "99999"])(
    "%s before the transaction is open: the database's",
    (code) => {
      expect(beforeTransaction(new StatementError("away", code)).kind).toBe("service");
    },
  );

  test("a wrong password is broken, not retryable, before the transaction, too", () => {
    expect(beforeTransaction(new StatementError("no", "28P01", { endsSession: true })).kind).toBe("broken");
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
    expect(error).toBeInstanceOf(PostgresError);
    expect(error).toMatchObject({ kind: "service", sqlState: null, message });
    expect(error.isRetryable()).toBe(true);
  });

  test("if retries fail, the batch waits; if bisecting fails, an attempt is counted", () => {
    expect(toSinkError(new StatementError("deadlock", "40P01")).kind).toBe("service");
    expect(toSinkError(new StatementError("too long", "54000")).kind).toBe("attempt");
  });

  test("an error in our own code counts as an attempt, too", () => {
    expect(toSinkError(new TypeError("x is undefined"))).toMatchObject({ kind: "attempt", sqlState: null });
  });
});
