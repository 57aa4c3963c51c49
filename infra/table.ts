/**
 * The one table: run, lease, cursors, ledger, gaps. On demand, since a run writes two items a second or none at all.
 * Its key prefixes stand in permissions.ts.
 */
export function createTable(options: { isProduction: boolean }): sst.aws.Dynamo {
  return new sst.aws.Dynamo("Checkpoints", {
    fields: { pk: "string", sk: "string" },
    primaryIndex: { hashKey: "pk", rangeKey: "sk" },
    deletionProtection: options.isProduction,
  });
}
