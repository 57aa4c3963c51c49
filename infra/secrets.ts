/**
 * The database's address: `sst secret set DatabaseUrl postgres://…`. It is linked, not put into the environment: SST
 * encrypts it into the bundle, so that the console's configuration page and GetFunctionConfiguration do not show it.
 * Handlers read it as `Resource.DatabaseUrl.value` of `sst/resource`. Consumer and control have it; the reader, which parses
 * strangers' bytes, has no use for a database.
 */
export function createSecrets(): { databaseUrl: sst.Secret } {
  return { databaseUrl: new sst.Secret("DatabaseUrl") };
}
