import { createMemoryTable } from "@firehose-backfill/testing/checkpoint/memory-table";
import { expect, test } from "vitest";
import { createItems } from "./source-items.ts";

test("issue 15.5: items of a source are kept by group and name, listed in order, and gone when their time is over", async () => {
  let nowMs = 1_000_000;
  const table = createMemoryTable();
  const items = createItems(table, { now: () => nowMs });
  const host = { group: "hosts", name: "pds.example:443" };
  expect(await items.get(host)).toBeNull();
  await items.put(host, "a", 60_000);
  await items.put(host, "b", 60_000);
  await items.put({ group: "run-1", name: "wait#2" }, "two", 60_000);
  await items.put({ group: "run-1", name: "wait#1" }, "one", 60_000);
  expect(await items.get(host)).toBe("b");
  // Another process: the same table.
  const list = (limit: number) =>
    createItems(table, { now: () => nowMs }).list("run-1", { from: "wait#", to: "wait#~", limit });
  expect(await list(10)).toEqual([
    { name: "wait#1", text: "one" },
    { name: "wait#2", text: "two" },
  ]);
  expect(await list(1)).toHaveLength(1);
  await items.remove({ group: "run-1", name: "wait#1" });
  await items.remove({ group: "run-1", name: "wait#1" });
  expect(await list(10)).toEqual([{ name: "wait#2", text: "two" }]);
  nowMs += 61_000;
  expect(await items.get(host)).toBeNull();
  expect(await list(10)).toEqual([]);
});

test("an item is bounded, and so are its names", async () => {
  const items = createItems(createMemoryTable());
  await expect(items.put({ group: "hosts", name: "a" }, "x".repeat(4_097), 1)).rejects.toThrow("4096");
  await expect(items.put({ group: "hosts", name: "a b" }, "x", 1)).rejects.toThrow("no name");
});
