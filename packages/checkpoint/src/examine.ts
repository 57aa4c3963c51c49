/** Checks whether a table has the keys that the store needs. It reads and writes no items. */
import { DescribeTableCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { TableError } from "./errors.ts";

export interface TableFindings {
  /** `ACTIVE`, `CREATING`, ... */
  readonly status: string;
  /** `pk HASH S, sk RANGE S` */
  readonly key: string;
}

export const NEEDED_KEY = "pk HASH S, sk RANGE S";

/** @throws TableError if the table does not exist or we may not read its description */
export async function examineTable(client: DynamoDBClient, table: string): Promise<TableFindings> {
  try {
    const { Table: found } = await client.send(new DescribeTableCommand({ TableName: table }));
    const types = new Map(
      found?.AttributeDefinitions?.map(({ AttributeName: name, AttributeType: type }) => [name, type]),
    );
    const key = (found?.KeySchema ?? []).map(
      ({ AttributeName: name, KeyType: kind }) => `${name} ${kind} ${types.get(name) ?? ""}`,
    );
    return { status: found?.TableStatus ?? "unknown", key: key.join(", ") };
  } catch (cause) {
    throw new TableError("describe", { isRetryable: false, cause });
  }
}
