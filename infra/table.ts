/**
 * The one table: run, lease, cursors, ledger, gaps. On demand, because a run writes a few items a second or none.
 * DynamoDB deletes expired items free of charge; point-in-time recovery stays on, which is SST's default.
 */
export function createTable(options: { isProduction: boolean }): sst.aws.Dynamo {
  return new sst.aws.Dynamo("Checkpoints", {
    fields: { pk: "string", sk: "string" },
    primaryIndex: { hashKey: "pk", rangeKey: "sk" },
    ttl: "expiresAt",
    deletionProtection: options.isProduction,
  });
}
