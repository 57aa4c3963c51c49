import { ConfigError } from "@firehose-backfill/core/errors";
import { describe, expect, test } from "vitest";
import { DatabaseUrlError, parseDatabaseUrl } from "./database-url.ts";

describe("DATABASE_URL", () => {
  test("with everything in it", () => {
    expect(
      parseDatabaseUrl(
        "postgres://al%40ice:p%2Fw@db.example.com:6543/my%20db?sslmode=verify-full&sslrootcert=/ca.pem&application_name=x",
      ),
    ).toEqual({
      transport: "socket",
      host: "db.example.com",
      port: 6543,
      user: "al@ice",
      password: "p/w",
      database: "my db",
      sslMode: "verify-full",
      sslRootCert: "/ca.pem",
      sslCert: null,
      sslKey: null,
      options: null,
      applicationName: "x",
      shown: "al@ice@db.example.com:6543/my db",
    });
  });

  test("with the smallest possible values", () => {
    expect(parseDatabaseUrl(" postgresql://bob@localhost ")).toMatchObject({
      host: "localhost",
      port: 5432,
      user: "bob",
      password: "",
      database: "bob",
      sslMode: "prefer",
      applicationName: "firehose-backfill",
    });
  });

  test.each([
    ["postgres://u:p@ep-a-b.eu-central-1.aws.neon.tech/db?sslmode=require", "websocket"],
    ["postgres://u:p@EP.NEON.TECH/db", "websocket"],
    ["postgres://u:p@neon.tech.example.com/db", "socket"],
    ["postgres://u:p@127.0.0.1/db", "socket"],
  ])("%s goes over a %s", (url, transport) => {
    expect(parseDatabaseUrl(url).transport).toBe(transport);
  });

  test.each([
    [
      "a Unix socket",
      "postgres:///db?host=/var/run/postgresql&user=u",
      { host: "/var/run/postgresql", database: "db" },
    ],
    ["an encoded Unix socket", "postgres://u@%2Fvar%2Frun/db", { host: "/var/run" }],
    ["IPv6", "postgres://u@[::1]:5433/db", { host: "::1", port: 5433, shown: "u@[::1]:5433/db" }],
    [
      "require with a root certificate, as libpq has it",
      "postgres://u@h/db?sslmode=require&sslrootcert=/c",
      { sslMode: "verify-ca" },
    ],
    ["the system's certificates", "postgres://u@h/db?sslmode=verify-full&sslrootcert=system", { sslRootCert: null }],
    ["ssl=true", "postgres://u@h/db?ssl=true", { sslMode: "require" }],
  ])("%s", (_name, url, expected) => {
    expect(parseDatabaseUrl(url)).toMatchObject(expected);
  });

  test.each([
    ["a Unix socket beside a user", "postgres://u@/db?host=/socket", { host: "/socket", user: "u", database: "db" }],
    ["user, password and database as parameters", "postgres://h/?user=u&password=p%20w&dbname=d", { password: "p w" }],
    [
      "a plus, which is a plus",
      "postgres://u:a+b@h/d?application_name=a+b",
      { password: "a+b", applicationName: "a+b" },
    ],
    ["a colon in a password", "postgres://u:a:b@h", { user: "u", password: "a:b" }],
    ["all that a password may need", "postgres://u:%25%40%2F%3F%23%5B@h", { password: "%@/?#[" }],
    ["letters of any language", "postgres://ü:pä❤️@h", { user: "ü", password: "pä❤️" }],
    ["sslmode=allow", "postgres://u@h?sslmode=allow", { sslMode: "prefer", database: "u" }],
    ["Neon's own parameters", "postgres://u:p@h/d?sslmode=require&channel_binding=require", { sslMode: "require" }],
    ["a port as a parameter", "postgres://u@h/d?port=6543", { port: 6543 }],
  ])("fault 18: %s", (_name, url, expected) => {
    expect(parseDatabaseUrl(url)).toMatchObject(expected);
  });

  test.each([
    ["postgres://u:100%@h/db", /%25/],
    ["postgres://u:sec%ZZret@h/db", /%25/],
    ["postgres://u:sec%FFret@h/db", /UTF-8/],
    ["postgres://u:sec@ret@h/db", /%40/],
    ["postgres://u:sec/ret@h/db", /%2F/],
    ["postgres://u:12/secret@h/db", /%2F/],
    ["postgres://u:sec?ret@h/db", /%3F/],
    ["postgres://u:12?secret@h/db", /%3F/],
    ["postgres://u:sec#ret@h/db", /%23/],
    ["postgres://u:sec ret@h/db", /white space/],
    ["postgres://secret@h:x/db", /1 to 65535/],
    ["postgres://u:secret@h/db?port=x", /1 to 65535/],
    ["postgres://u:secret@h/db?sslmode=no-verify", /no-verify is require/],
    ["postgres://h/db?password=secret", /names no user/],
    ["postgres://u:secret@/db", /\?host=\/var\/run\/postgresql/],
    ["postgres://u:secret@h1,h2/db", /several hosts/],
    ["postgres://u:secret@h/db?host=h1,h2", /several hosts/],
    ["postgres://u:secret@::1/db", /brackets/],
  ])(
    "fault 18: %s is refused as a configuration, with what to write instead and nothing of the password",
    (url, message) => {
      const parse = () => parseDatabaseUrl(url);
      expect(parse).toThrow(ConfigError);
      expect(parse).toThrow(message);
      expect(parse).not.toThrow(/secret|ret@|sec[^o]|100%@/);
    },
  );

  test.each([
    ["mysql://u:secret@h/db", /must look like postgres:/],
    ["postgres://u:sec#ret@h/db", /not a valid URL/],
    ["postgres://u:secret@h1:1,h2:2/db", /not a valid URL/],
    ["postgres://:secret@h/db", /names no user/],
    ["postgres:///db?user=u", /names no host/],
    ["postgres://u:secret%@h/db", /two hexadecimal digits/],
    ["postgres://u:secret@h/db?sslmode=always", /"always"; it takes disable, prefer/],
    ["postgres://u:secret@h/db?port=0", /1 to 65535/],
  ])("%s is refused, and the password is not shown", (url, message) => {
    expect(() => parseDatabaseUrl(url)).toThrow(DatabaseUrlError);
    expect(() => parseDatabaseUrl(url)).toThrow(message);
    expect(() => parseDatabaseUrl(url)).not.toThrow(/secret/);
  });
});
