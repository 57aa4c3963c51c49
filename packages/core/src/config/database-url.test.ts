import { expect, test } from "vitest";
import { databaseUrl } from "./database-url.ts";

const parse = (text: string) => databaseUrl.parse(text, { readFile: null });

test.each([
  ["postgres://user:s3cret@ep-x.eu.neon.tech/db?sslmode=require", "user@ep-x.eu.neon.tech/db"],
  ["postgresql://user:s3cret@127.0.0.1:5433/db", "user@127.0.0.1:5433/db"],
  ["postgres://user:s3cret%2F%40@h/db?application_name=a@b", "user@h/db"],
  ["postgres://h/db?password=s3cret", "h/db"],
  ["postgres://[::1]:5432/db", "[::1]:5432/db"],
  ["postgres://h", "h"],
])("%s is taken as it is, and shown as %s", (text, shown) => {
  expect(parse(text)).toEqual({ value: text });
  expect(databaseUrl.show(text)).toBe(shown);
});

test.each([
  "mysql://u:s3cret@h/db",
  "user:s3cret@h/db",
  "postgres:u:s3cret@h/db",
  "postgres:///db",
  "postgres://u:s3cret/x@h/db",
  "postgres://u:12/s3cret@h/db",
  "postgres://u:12?s3cret@h/db",
  "postgres://u:s3#cret@h/db",
  "postgres://u:s3 cret@h/db",
])("%s is refused, and nothing of it is shown", (text) => {
  expect(parse(text)).toEqual({ problem: "not a URL of Postgres" });
  expect(databaseUrl.showHeld(text)).toBe("(not shown: it may hold a password)");
});
