/** Passwords as Postgres prepares them. The server prepares the password of CREATE ROLE, and our result must be the same. */
import { describe, expect, test } from "vitest";
import { ask, query, SERVERS } from "@firehose-backfill/testing/sink/rows";
import { openDatabase } from "./connection.ts";
import { saslprep } from "./saslprep.ts";
import { useServer } from "@firehose-backfill/testing/sink/server";

const PASSWORDS: readonly (readonly [string, string])[] = [
  ["a heart with a variation selector", "❤️x"],
  ["nothing but a variation selector", "\u{FE0F}"],
  ["a soft hyphen", "pass\u00ADword"],
  ["a zero-width joiner", "a\u200Db"],
  ["a zero-width space", "a\u200Bb"],
  ["a byte order mark", "\uFEFFa"],
  ["a ligature", "ﬁsh"],
  ["a no-break space", "a\u00A0b"],
  ["an ideographic space", "a\u3000b"],
  ["a letter and its accent apart", "e\u0301"],
  ["a full-width letter", "Ａ"],
  ["a superscript", "x²"],
  ["an emoji, which Unicode 3.2 did not have", "😀"],
  ["a ligature beside such an emoji: all of it raw", "ﬁ😀"],
  ["a control character beside a ligature", "ﬁ\u0007"],
  ["a private character", "ﬁ\uE000"],
  ["right to left", "שלום"],
  ["right to left, ending otherwise: raw", "שלוםﬁ"],
  ["right to left with a digit within", "ש1ל"],
  ["Arabic presentation forms", "ﻻ"],
  ["Hangul apart", "\u1112\u1161\u11AB"],
  ["a name of a family", "👨‍👩‍👧"],
  ["printable ASCII", "~!@#$%^&*() '\"\\"],
];

describe.each(SERVERS)("fault 17: on $name a role logs in with", ({ binDir }) => {
  const server = useServer({ binDir });

  test.each(PASSWORDS)("%s", async (name, password) => {
    const role = `role_${PASSWORDS.findIndex(([known]) => known === name)}`;
    await query(server.databaseUrl, `CREATE ROLE ${role} LOGIN PASSWORD '${password.replaceAll("'", "''")}'`);
    const stored = await query(server.databaseUrl, `SELECT rolpassword FROM pg_authid WHERE rolname = '${role}'`);
    expect(stored[0]?.[0]).toMatch(/^SCRAM-SHA-256/);
    const url = new URL(server.databaseUrl);
    url.username = role;
    url.password = encodeURIComponent(password);
    await using database = openDatabase({ databaseUrl: url.href, poolSize: 1 });
    expect(await ask(database, "SELECT current_user")).toBe(role);
    url.password = `${url.password}x`;
    await using wrong = openDatabase({ databaseUrl: url.href, poolSize: 1 });
    await expect(ask(wrong, "SELECT 1")).rejects.toMatchObject({ sqlState: "28P01" });
  });
});

test.each([
  ["I\u00ADX", "IX"],
  ["user", "user"],
  ["USER", "USER"],
  ["\u00AA", "a"],
  ["\u2168", "IX"],
  // Forbidden: as it is.
  ["\u0007é", "\u0007é"],
  ["\u0627\u0031", "\u0627\u0031"],
  ["\uD800", "\uD800"],
])("the examples of RFC 4013: %j", (given, prepared) => {
  expect(saslprep(given)).toBe(prepared);
});
