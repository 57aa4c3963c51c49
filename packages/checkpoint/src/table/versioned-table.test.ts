import { expect, test } from "vitest";
import { createMemoryTable } from "@firehose-backfill/testing/checkpoint/memory-table";
import { versioned } from "./versioned-table.ts";

const KEY = { pk: "run#a", sk: "run" };

test("a number that would come back as another one is not written", async () => {
  const table = versioned(createMemoryTable());
  await table.put(KEY, { count: 1 });
  for (const count of [NaN, Infinity]) {
    const refused = expect.objectContaining({ name: "BrokenStateError" });
    await expect(table.put(KEY, { count })).rejects.toEqual(refused);
    await expect(table.put(KEY, { cursor: { seq: count } })).rejects.toEqual(refused);
    await expect(table.update(KEY, { set: { count } })).rejects.toEqual(refused);
    await expect(table.update(KEY, { add: { count } })).rejects.toEqual(refused);
  }
  // DynamoDB adds decimal numbers, and the table in memory adds binary ones. The sums of 0.1 and 0.2 would differ.
  await expect(table.update(KEY, { add: { count: 0.1 } })).rejects.toThrow("only whole numbers");
  expect(await table.get(KEY)).toMatchObject({ count: 1 });
});
