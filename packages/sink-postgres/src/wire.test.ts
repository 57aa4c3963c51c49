import { anyText } from "@firehose-backfill/testing/core/any-text";
import { ask } from "@firehose-backfill/testing/sink/rows";
import { useServer } from "@firehose-backfill/testing/sink/server";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openDatabase } from "./connection.ts";
import { writeRoundTrip } from "./wire.ts";

const plain = { name: "", isParsed: false, maxRows: 0, describeOnly: false };

test("a message after the other, each with its length, and a Sync", () => {
  const bytes = writeRoundTrip([{ ...plain, sql: "SELECT $1", values: ["é", null, ["a", null]].slice(0, 1) }]);
  const messages: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Buffer.from(bytes.buffer, bytes.byteOffset).readInt32BE(at + 1);
    messages.push(`${String.fromCharCode(bytes[at] ?? 0)} ${length}`);
    at += 1 + length;
  }
  expect(messages).toEqual(["P 17", "B 22", "E 9", "S 4"]);
});

test("what was written before stays as it was", () => {
  const first = writeRoundTrip([{ ...plain, sql: "SELECT 1", values: [] }]);
  const copy = Uint8Array.from(first);
  writeRoundTrip([{ ...plain, sql: "SELECT 22222222", values: ["x".repeat(5_000)] }]);
  expect(first).toEqual(copy);
});

describe("issue 19.3: on a server", () => {
  const server = useServer();

  test("texts and lists arrive as they are, whatever is in them", async () => {
    await using database = openDatabase({ databaseUrl: server.databaseUrl, poolSize: 1 });
    const text = anyText({ maxLength: 100 }).map((value) => value.replaceAll("\0", ""));
    const special = fc.constantFrom('"', "\\", '\\"', "{}", "NULL", "", ",", "a\nb", "x".repeat(47), "é".repeat(48));
    const list = fc.array(fc.option(fc.oneof(text, special)), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(list, fc.option(text), async (items, one) => {
        const sql = "SELECT to_json($1::text[]), $2::text";
        const rows = await database.use([{ sql, values: [items, one] }], async (_session, [result]) => result?.rows);
        expect(JSON.parse(rows?.[0]?.[0] ?? "null")).toEqual(items);
        expect(rows?.[0]?.[1]).toBe(one);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  test("a round trip of several megabytes", async () => {
    await using database = openDatabase({ databaseUrl: server.databaseUrl, poolSize: 1 });
    const long = "é".repeat(1_500_000);
    const sql = "SELECT length($1::text) + (SELECT sum(length(x)) FROM unnest($2::text[]) AS x)";
    const values = [long, [long, "1", null, long]];
    const length = await database.use([{ sql, values }], async (_session, [result]) => result?.rows[0]?.[0]);
    expect(length).toBe(String(3 * 1_500_000 + 1));
    expect(await ask(database, "SELECT 1")).toBe("1");
  });

  test.each([
    ["in a text", ["\ud800"]],
    ["in a list", [["a", "b\udc00"]]],
    ["in a long text", ["x".repeat(100) + "\ud800"]],
  ])("half a surrogate pair %s is refused and not replaced", async (_where, values) => {
    await using database = openDatabase({ databaseUrl: server.databaseUrl, poolSize: 1 });
    const sql = `SELECT $1::text${typeof values[0] === "string" ? "" : "[]"}`;
    await expect(database.use([{ sql, values }], async () => {})).rejects.toMatchObject({ sqlState: "22021" });
  });
});
