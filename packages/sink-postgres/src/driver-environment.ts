/**
 * DATABASE_URL decides everything about a connection. The driver takes what is empty or missing in its configuration from
 * PG* variables instead: PGOPTIONS would make sessions read only, PGREPLICATION would make a walsender of them, and
 * PGPASSWORD would send another program's password. So what it has looked up is taken back before it connects.
 */
import type { Client } from "@neondatabase/serverless";
import type { DatabaseTarget } from "./database-url.ts";

/** Call it at the end of the constructor. @throws TypeError when the driver is not built as it was */
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
  // Copies that the driver's constructor has made. An empty password is one: without it the driver would look in a file.
  Reflect.set(parameters, "password", target.password);
  Reflect.set(client, "password", target.password);
  Reflect.set(client, "replication", undefined);
  Reflect.set(client, "binary", false);
}
