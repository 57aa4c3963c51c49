import { afterAll, beforeAll, describe } from "vitest";
import { describeStore } from "@firehose-backfill/testing/checkpoint/store-suite";
import { startDynalite, type TableServer } from "@firehose-backfill/testing/checkpoint/table-server";

let server: TableServer;
beforeAll(async () => {
  server = await startDynalite();
});
afterAll(() => server[Symbol.asyncDispose]());

describe.each([
  { name: "on dynalite", isToldTwice: false },
  { name: "on dynalite, every write sent twice", isToldTwice: true },
])("$name", ({ isToldTwice }) => {
  describeStore({
    openTable: () => server.openTable(),
    isToldTwice,
    histories: isToldTwice ? 2 : 3,
    looksEvery: 5,
  });
});
