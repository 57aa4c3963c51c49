/**
 * DATABASE_URL decides everything about a connection. But the driver fills empty or missing values of its configuration from
 * PG* variables: PGOPTIONS would make sessions read only, PGREPLICATION would make them a walsender, and
 * PGPASSWORD would send another program's password. So these values are reset before it connects.
 */
import type { Client } from "@neondatabase/serverless";
import type { DatabaseTarget } from "./database-url.ts";

/** Call it at the end of the constructor. @throws TypeError if the driver has changed its structure */
export function forgetEnvironment(client: Client, target: DatabaseTarget): void {
  const parameters: unknown = Reflect.get(client, "connectionParameters");
  if (typeof parameters !== "object" || parameters === null)
    throw new TypeError("the driver keeps no connectionParameters: what PG* variables say cannot be taken back");
  const given = {
    user: target.user,
    database: target.database,
    host: target.host,
    port: target.port,
    options: target.options ?? undefined,
    application_name: target.applicationName,
    replication: undefined,
    client_encoding: "",
    binary: false,
  };
  Object.assign(parameters, given);
  // Copies that the driver's constructor made. An empty password is kept, too: without one the driver would read a file.
  Reflect.set(parameters, "password", target.password);
  Reflect.set(client, "password", target.password);
  Reflect.set(client, "replication", undefined);
  Reflect.set(client, "binary", false);
}
