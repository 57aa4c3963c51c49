/** What a look at a table tells: whether it has the shape that the store writes. Nothing is read from it or written. */
import { DescribeTableCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { TableError } from "./errors.ts";

export interface TableFindings {
  /** `ACTIVE`, `CREATING`, ... */
  readonly status: string;
  /** `pk HASH S, sk RANGE S` */
  readonly key: string;
}

export const NEEDED_KEY = "pk HASH S, sk RANGE S";

/** @throws TableError when it is not there, or may not be looked at */
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
