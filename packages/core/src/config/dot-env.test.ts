import { parseEnv } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDotEnv } from "./dot-env.ts";

const read = (text: string) => Object.fromEntries(parseDotEnv(text).values);

describe("fault 15: a .env file that is understood", () => {
  test.each<[string, string, Record<string, string>]>([
    ["a byte order mark", "\uFEFFRELAY_URL=wss://a.test\nPORT=1\n", { RELAY_URL: "wss://a.test", PORT: "1" }],
    ["lines of Windows", "RELAY_URL=wss://a.test\r\nPORT=1\r\n", { RELAY_URL: "wss://a.test", PORT: "1" }],
    ["lines of an old Mac", "RELAY_URL=wss://a.test\rPORT=1\r", { RELAY_URL: "wss://a.test", PORT: "1" }],
    ["export", "export RELAY_URL=wss://a.test\n  export\tPORT = 1", { RELAY_URL: "wss://a.test", PORT: "1" }],
    ["spaces around =", "RELAY_URL = wss://a.test  ", { RELAY_URL: "wss://a.test" }],
    ["quotes of three kinds", `PORT="1"\nRELAY_URL='wss://a.test'\nBACKFILL_CONTACT=\`me\``, withContact()],
    ["comments and empty lines", "# RELAY_URL=wss://b.test\n\n \u00a0 \n\t# x\nPORT=1 # one\n", { PORT: "1" }],
    ["a # inside quotes", `DATABASE_URL='postgres://u:p#x@h/db' # mine`, { DATABASE_URL: "postgres://u:p#x@h/db" }],
    ["an empty value", "RELAY_URL=\nPORT=''\n", { RELAY_URL: "", PORT: "" }],
    ["several lines in quotes", `BACKFILL_THROTTLE_QUERY="SELECT\n  1" # q\nPORT=1`, withQuery()],
    ["a line break spelled in double quotes", String.raw`BACKFILL_THROTTLE_QUERY="a\nb"`, queryOf("a\nb")],
    ["the same value twice", "PORT=1\nPORT=1\n", { PORT: "1" }],
    ["another program's names", "my.name-x=1\nFOO=a#b\nFOO=c\nDATABASE_DSN=x\n", othersOwn()],
    [
      "an = in the value",
      "DATABASE_URL=postgres://h/db?sslmode=require",
      { DATABASE_URL: "postgres://h/db?sslmode=require" },
    ],
    ["no text at all", "", {}],
  ])("%s", (_, text, values) => {
    expect(parseDotEnv(text).problems).toEqual([]);
    expect(read(text)).toEqual(values);
  });

  test("as Node reads it, whatever the values are", () => {
    const name = fc.constantFrom("PORT", "FOO", "RELAY_URL", "BACKFILL_DAYS");
    const plain = fc.stringMatching(/^[A-Za-z0-9:/.,=_-]{1,12}$/);
    const quoted = fc.tuple(fc.constantFrom('"', "'", "`"), fc.stringMatching(/^[A-Za-z0-9 #\n=_-]{0,12}$/));
    const value = fc.oneof(
      plain,
      quoted.map(([quote, text]) => `${quote}${text}${quote}`),
    );
    const line = fc
      .tuple(fc.constantFrom("", "export ", "  "), name, value)
      .map(([before, a, b]) => `${before}${a}=${b}`);
    fc.assert(
      fc.property(fc.array(fc.oneof(line, fc.constant("# a comment"), fc.constant("")), { maxLength: 5 }), (lines) => {
        const text = lines.join("\n");
        const { values, problems } = parseDotEnv(text);
        fc.pre(problems.length === 0);
        expect(Object.fromEntries(values)).toEqual({ ...parseEnv(text) });
      }),
    );
  });
});

describe("fault 15: a .env file that is not understood is refused by its line", () => {
  test.each<[string, string, number, RegExp]>([
    ["NAME: value", "PORT=1\nRELAY_URL: wss://a.test\n", 2, /RELAY_URL is not understood: write NAME=value/],
    ["a space before the colon", "RELAY_URL : wss://a.test", 1, /RELAY_URL is not understood/],
    ["a colon, and = in the value", "DATABASE_URL: postgres://u:s3cret@h/db?a=b", 1, /DATABASE_URL is not understood/],
    ["no =", "RELAY_URL wss://a.test", 1, /RELAY_URL is not understood/],
    ["a name alone", "# x\n\nexport RELAY_URL", 3, /RELAY_URL is not understood/],
    ["an empty name", "=s3cret", 1, /not understood/],
    ["a full-width =", "RELAY_URL＝wss://a.test", 1, /RELAY_URL is not understood: .*only looks like/],
    ["a full-width =, and = in the value", "DATABASE_URL＝postgres://u:s3cret@h/db?a=b", 1, /only looks like/],
    ["a non-breaking space before the name", "\u00a0RELAY_URL=wss://a.test", 1, /only looks like/],
    ["a non-breaking space after the name", "RELAY_URL\u00a0=wss://a.test", 1, /only looks like/],
    ["a zero-width space before the name", "\u200bRELAY_URL=wss://a.test", 1, /only looks like/],
    ["a byte order mark in the middle", "PORT=1\n\uFEFFRELAY_URL=wss://a.test", 2, /only looks like/],
    ["set of Windows", "set RELAY_URL=wss://a.test", 1, /without set/],
    ["PowerShell", '$env:RELAY_URL = "wss://a.test"', 1, /without set or \$env:/],
    ["curly quotes", "DATABASE_URL=“postgres://u:s3cret@h/db”", 1, /DATABASE_URL begins with a typographic quote/],
    ["a quote that is never closed", 'PORT=1\nDATABASE_URL="postgres://u:s3cret@h/db\nX=1', 2, /never closed/],
    ["text after the quotes", 'DATABASE_URL="postgres://u:s3"cret@h/db', 1, /goes on after its closing quote/],
    [
      "a setting inside another's quotes",
      'FOO="a\nDATABASE_URL=s3cret\nBAR="',
      2,
      /DATABASE_URL stands inside the quotes/,
    ],
    ["a # that would cut the value", "DATABASE_URL=postgres://u:s3#cret@h/db", 1, /DATABASE_URL holds a #/],
    ["two values of one name", "PORT=1\nFOO=2\nPORT=3", 3, /PORT has another value than in line 1/],
    ["lower case", "relay_url=wss://a.test", 1, /relay_url is not a setting; did you mean RELAY_URL\?/],
    ["lower case, ours by its prefix", "backfill_speed=1", 1, /did you mean BACKFILL_SPEED\?/],
    ["a letter too few", "BACKFIL_DAYS=1", 1, /did you mean BACKFILL_DAYS\?/],
    ["a letter too few in the prefix alone", "BACKFIL_SOMETHING=1", 1, /did you mean BACKFILL_SOMETHING\?/],
    ["a dash", "DATABASE-URL=postgres://u:s3cret@h/db", 1, /did you mean DATABASE_URL\?/],
    ["a dot", "relay.url=wss://a.test", 1, /did you mean RELAY_URL\?/],
    ["two letters changed round", "RELAY_ULR=wss://a.test", 1, /did you mean RELAY_URL\?/],
  ])("%s", (_, text, line, what) => {
    const { problems } = parseDotEnv(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^\\.env line ${line}: `));
    expect(problems[0]).toMatch(what);
    expect(problems[0]).not.toMatch(/s3|cret|postgres:/);
  });

  test("all lines at once", () => {
    expect(parseDotEnv("RELAY_URL: x\nDATABASE_URL: y\n").problems).toHaveLength(2);
  });

  test("a name like a setting's is another program's where the setting itself is given", () => {
    const text = "DATABASE_URI=postgres://other/db\n";
    expect(parseDotEnv(text).problems).toHaveLength(1);
    expect(parseDotEnv(`${text}DATABASE_URL=\n`).problems).toEqual([]);
    expect(parseDotEnv(text, { DATABASE_URL: "" }).problems).toEqual([]);
  });
});

function withContact() {
  return { PORT: "1", RELAY_URL: "wss://a.test", BACKFILL_CONTACT: "me" };
}
function withQuery() {
  return { ...queryOf("SELECT\n  1"), PORT: "1" };
}
function queryOf(text: string) {
  return { BACKFILL_THROTTLE_QUERY: text };
}
function othersOwn() {
  return { "my.name-x": "1", FOO: "c", DATABASE_DSN: "x" };
}
