/**
 * Compares the table in memory with an emulator of DynamoDB: both get the same random calls, one after another, and must give
 * the same answers and refusals.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startDynalite, type TableServer } from "@firehose-backfill/testing/checkpoint/table-server";
import { anyCall, answerOf, type Call, kindOf } from "@firehose-backfill/testing/checkpoint/table-calls";
import { absent, compare, equals, exists } from "./conditions.ts";
import { createMemoryTable } from "@firehose-backfill/testing/checkpoint/memory-table";

let server: TableServer;
beforeAll(async () => {
  server = await startDynalite();
});
afterAll(() => server[Symbol.asyncDispose]());

const MAX_ITEM_BYTES = 409_600;
const RUNS = 30;

describe("the table in memory answers as an emulator of DynamoDB does", () => {
  test("to any calls, one after another", async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.array(anyCall, { minLength: 10, maxLength: 40 }), async (calls) => {
        const [real, memory] = [await server.openTable(), createMemoryTable()];
        for (const next of calls) {
          const expected = await answerOf(real, next);
          expect({ call: next, answer: await answerOf(memory, next) }).toEqual({ call: next, answer: expected });
          const kind = `${next.kind} ${kindOf(expected)}`;
          seen.set(kind, (seen.get(kind) ?? 0) + 1);
        }
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    // The test has seen every kind of result: calls that succeeded, calls whose condition was false, and calls that were
    // refused.
    expect([...seen.keys()].sort()).toEqual([
      "delete done",
      "delete many done",
      "delete many refused",
      "delete not done",
      "get done",
      "get many done",
      "get many refused",
      "get not done",
      "put done",
      "put not done",
      "put refused",
      "query done",
      "query refused",
      "update done",
      "update not done",
      "update refused",
    ]);
  });

  test("to every simple condition, on an attribute of every type and on what is not there", async () => {
    const item = { text: "1", number: 1, flag: true, cursor: { seq: 1 }, body: Uint8Array.of(49) };
    const paths = [
      ...Object.keys(item),
      "cursor.seq",
      "cursor.timeMs",
      "text.seq",
      "body.seq",
      "nothing",
      "nothing.seq",
    ];
    const conditions = paths.flatMap((at) => [
      ...["1", "", 1, 2, true, false].map((to) => equals(at, to)),
      ...(["<", "<=", ">="] as const).flatMap((operator) => [0, 1, 2].map((to) => compare(at, operator, to))),
      exists(at),
      absent(at),
    ]);
    const itsKey = { pk: "run#a", sk: "run" };
    const tables = [await server.openTable(), createMemoryTable()];
    for (const table of tables) await table.put(itsKey, item);
    let held = 0;
    for (const next of conditions) {
      const [real, memory] = await Promise.all(tables.map((table) => table.update(itsKey, { set: { v: 1 } }, next)));
      expect({ next, holds: memory !== null }).toEqual({ next, holds: real !== null });
      if (real !== null) held += 1;
    }
    expect(held).toBeGreaterThan(paths.length);
    expect(held).toBeLessThan(conditions.length / 2);
  });

  test.each([
    ["an item of 400 KB", "run", MAX_ITEM_BYTES - 16, "done"],
    ["an item of a byte more", "run", MAX_ITEM_BYTES - 15, "refused"],
    ["a sort key of 1,024 bytes", "s".repeat(1024), 1, "done"],
    ["a sort key of a byte more", "s".repeat(1025), 1, "refused"],
    ["an empty sort key", "", 1, "refused"],
  ])("to %s", async (_what, sortKey, size, kind) => {
    const itsKey = { pk: "run#a", sk: sortKey };
    const body = new Uint8Array(size);
    const calls: Call[] = [
      { kind: "put", key: itsKey, item: { body }, condition: undefined },
      { kind: "update", key: itsKey, set: { body }, add: {}, condition: undefined },
      // A refused call has changed nothing.
      { kind: "update", key: itsKey, set: { body: "x" }, add: { body: 1 }, condition: undefined },
      { kind: "get", key: itsKey },
    ];
    const [real, memory] = [await server.openTable(), createMemoryTable()];
    const answers: unknown[] = [];
    for (const next of calls) {
      answers.push(await answerOf(real, next));
      expect(await answerOf(memory, next)).toEqual(answers.at(-1));
    }
    expect(answers.map(kindOf).slice(0, 3)).toEqual([kind, kind, "refused"]);
  });

  test.each([
    [2048, "done"],
    [2049, "refused"],
  ])("to a partition key of %i bytes", async (size, kind) => {
    const next: Call = { kind: "put", key: { pk: "p".repeat(size), sk: "run" }, item: {}, condition: undefined };
    for (const table of [await server.openTable(), createMemoryTable()])
      expect(kindOf(await answerOf(table, next))).toBe(kind);
  });

  test("to a query over several pages", async () => {
    const body = new Uint8Array(300_000);
    for (const table of [await server.openTable(), createMemoryTable()]) {
      for (const at of ["5", "1", "3", "2", "4"]) await table.put({ pk: "run#a", sk: at }, { body });
      const keysOf = async (limit?: number) => {
        const range = { pk: "run#a", from: "1", to: "4", ...(limit !== undefined && { limit }) };
        return (await table.query(range)).map((item) => item["sk"]);
      };
      expect(await keysOf()).toEqual(["1", "2", "3", "4"]);
      expect(await keysOf(3)).toEqual(["1", "2", "3"]);
    }
  });
});

test("what was put into a table in memory, or came out of it, cannot be changed from outside", async () => {
  const table = createMemoryTable();
  const itsKey = { pk: "run#a", sk: "run" };
  const given = { body: Uint8Array.of(1), cursor: { seq: 1 } };
  await table.put(itsKey, given);
  const stored = { ...itsKey, body: Uint8Array.of(1), cursor: { seq: 1 } };
  given.body[0] = 9;
  given.cursor.seq = 9;
  const outs = [
    await table.get(itsKey),
    await table.update(itsKey, { set: { status: null } }),
    ...(await table.query({ pk: "run#a", from: "a", to: "z" })),
  ];
  for (const out of outs) {
    expect(out).toEqual(stored);
    if (out?.["body"] instanceof Uint8Array) out["body"][0] = 7;
  }
  expect(await table.get(itsKey)).toEqual(stored);
});
