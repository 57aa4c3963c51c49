/**
 * The database's address: `sst secret set DatabaseUrl postgres://…`. It is linked and not in the environment: SST
 * encrypts it into the bundle, so that the console's configuration page and GetFunctionConfiguration do not show it.
 * Handlers read it as `Resource.DatabaseUrl.value` of `sst/resource`. Only consumer and control have it: the reader parses
 * bytes from the network and needs no database.
 */
export function createSecrets(): { databaseUrl: sst.Secret } {
  return { databaseUrl: new sst.Secret("DatabaseUrl") };
}
