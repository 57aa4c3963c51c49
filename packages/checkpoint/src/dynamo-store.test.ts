import { afterAll, beforeAll, describe } from "vitest";
import { describeDeadEvents } from "./conformance/dead-events-suite.ts";
import { describeLedger } from "./conformance/ledger-suite.ts";
import type { Harness } from "./conformance/harness.ts";
import { describeReader } from "./conformance/reader-suite.ts";
import { describeSchedules } from "./conformance/schedule-suite.ts";
import { describeRuns } from "./conformance/run-suite.ts";
import { inSteps, startDynalite, type TableServer, tellTwice } from "./dynamo/test-tables.ts";
import { createDynamoClient } from "./dynamo-client.ts";
import { createDynamoStore } from "./dynamo-store.ts";

let server: TableServer;
beforeAll(async () => {
  server = await startDynalite();
});
afterAll(() => server[Symbol.asyncDispose]());

describe.each([
  { name: "on dynalite", isToldTwice: false },
  { name: "on dynalite, every write sent twice", isToldTwice: true },
])("$name", ({ isToldTwice }) => {
  const harness: Harness = {
    async open() {
      const client = createDynamoClient({ endpoint: server.endpoint });
      return createDynamoStore({ client: isToldTwice ? tellTwice(client) : client, table: await server.newTable() });
    },
    async openShared() {
      const table = await server.newTable();
      return (step) => {
        const client = createDynamoClient({ endpoint: server.endpoint });
        const faulty = isToldTwice ? tellTwice(client) : client;
        return createDynamoStore({ client: step === undefined ? faulty : inSteps(faulty, step), table });
      };
    },
    isToldTwice,
    histories: isToldTwice ? 2 : 3,
    looksEvery: 5,
  };
  describeRuns(harness);
  describeReader(harness);
  describeLedger(harness);
  describeDeadEvents(harness);
  describeSchedules(harness);
});
