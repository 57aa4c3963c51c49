import { afterAll, beforeAll, describe } from "vitest";
import { describeStore } from "./conformance/store-suite.ts";
import { startDynalite, type TableServer } from "./conformance/table-server.ts";

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
