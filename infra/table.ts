/**
 * The one table: run, lease, cursors, ledger, gaps. On demand, since a run writes a few items a second or none at all.
 * Expired items go by themselves, which DynamoDB does for nothing; point-in-time recovery is SST's default and stays.
 */
export function createTable(options: { isProduction: boolean }): sst.aws.Dynamo {
  return new sst.aws.Dynamo("Checkpoints", {
    fields: { pk: "string", sk: "string" },
    primaryIndex: { hashKey: "pk", rangeKey: "sk" },
    ttl: "expiresAt",
    deletionProtection: options.isProduction,
  });
}
