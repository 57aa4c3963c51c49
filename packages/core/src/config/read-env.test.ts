import { describe, expect, test } from "vitest";
import { SETTINGS } from "./definitions.ts";
import { readEnv } from "./read-env.ts";

test("picks what is ours, and unknown BACKFILL_ names with it", () => {
  const env = {
    PATH: "/bin",
    PORT: "1",
    RELAY_URL: "wss://a.test",
    BACKFILL_TYPO: "x",
    backfill_days: "3",
    HOME: undefined,
  };
  expect(readEnv(env)).toEqual({ PORT: "1", RELAY_URL: "wss://a.test", BACKFILL_TYPO: "x" });
});

test("every setting is picked", () => {
  const env = Object.fromEntries(SETTINGS.map(({ name }) => [name, name.toLowerCase()]));
  expect(readEnv(env)).toEqual(env);
});

describe("a .env file", () => {
  const text = `
# a comment
PATH=/nowhere
BACKFILL_DAYS=7 # a week
export BACKFILL_BATCH_SIZE="10"
DATABASE_URL='postgres://u:p#x@h/db'
BACKFILL_TYPO=1
`;

  test("is read by Node's own rules, ours only", () => {
    expect(readEnv({}, text)).toEqual({
      BACKFILL_DAYS: "7",
      BACKFILL_BATCH_SIZE: "10",
      DATABASE_URL: "postgres://u:p#x@h/db",
      BACKFILL_TYPO: "1",
    });
  });

  test("yields to the real environment, an empty variable included, but not to a missing one", () => {
    const env = { BACKFILL_DAYS: "1", BACKFILL_BATCH_SIZE: "", DATABASE_URL: undefined };
    expect(readEnv(env, text)).toMatchObject({
      BACKFILL_DAYS: "1",
      BACKFILL_BATCH_SIZE: "",
      DATABASE_URL: "postgres://u:p#x@h/db",
    });
  });
});
