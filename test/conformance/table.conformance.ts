/** The checkpoint store over any server of DynamoDB: what the store relies on, and no more. */
import { DeleteTableCommand } from "@aws-sdk/client-dynamodb";
import { createDynamoClient } from "@firehose-backfill/checkpoint/dynamo-client";
import { ensureTable } from "@firehose-backfill/testing/checkpoint/create-table";
import { describeStore } from "@firehose-backfill/testing/checkpoint/store-suite";
import { afterAll, beforeAll, describe } from "vitest";
import { createDynamoTable } from "../../packages/checkpoint/src/table/dynamo-table.ts";
import { endpointOf, newName } from "./endpoint.ts";
import { prefixedTable } from "./prefixed-table.ts";

const endpoint = endpointOf("CONFORMANCE_DYNAMODB");

describe.skipIf(endpoint === null)(
  `the checkpoint store on ${endpoint?.url ?? "no server (skipped: --dynamodb was not given)"}`,
  () => {
    const client = createDynamoClient({ endpoint: endpoint?.isAws === false ? endpoint.url : null });
    const name = newName();
    let opened = 0;
    beforeAll(() => ensureTable(client, name));
    afterAll(async () => {
      await client.send(new DeleteTableCommand({ TableName: name }));
      client.destroy();
    });
    describeStore({
      openTable: async () => prefixedTable(createDynamoTable(client, name), `${(opened += 1)}-`),
      isToldTwice: false,
      histories: 2,
      looksEvery: 5,
    });
  },
);
