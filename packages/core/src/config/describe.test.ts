import { expect, test } from "vitest";
import { SETTINGS } from "./definitions.ts";
import { describeSetting, settingsRecord } from "./describe.ts";
import { parseConfig } from "./parse.ts";

test("the record has every setting by its name, with value and source", () => {
  const config = parseConfig(
    {
      BACKFILL_PROFILE: "fast",
      BACKFILL_BATCH_SIZE: "7",
      BACKFILL_COLLECTIONS: "app.bsky.*",
      RELAY_URL: "wss://A.test/",
    },
    { overrides: [{ source: "flag", values: { BACKFILL_OFF_PEAK: "22:00-06:00 UTC moderate" } }] },
  );
  const record = settingsRecord(config);
  expect(Object.keys(record)).toEqual(SETTINGS.map(({ name }) => name));
  expect(record).toMatchObject({
    RELAY_URL: { value: "wss://a.test", source: "environment" },
    BACKFILL_PROFILE: { value: "fast", source: "environment" },
    BACKFILL_BATCH_SIZE: { value: 7, source: "environment" },
    BACKFILL_BATCH_DELAY_MS: { value: 500, source: "profile" },
    BACKFILL_USE_IDLE: { value: false, source: "profile" },
    BACKFILL_COLLECTIONS: { value: "app.bsky.*", source: "environment" },
    BACKFILL_DIDS: { value: null, source: "default" },
    BACKFILL_OFF_PEAK: { value: "22:00-06:00 UTC moderate", source: "flag" },
    DATABASE_URL: { value: null, source: "default" },
    BACKFILL_DAYS: { value: 1, source: "default" },
  });
});

test("a password is nowhere in it", () => {
  const config = parseConfig({ DATABASE_URL: "postgres://u:s3cret@h:5432/db?sslmode=require&password=s3cret" });
  expect(settingsRecord(config)["DATABASE_URL"]).toEqual({ value: "u@h:5432/db", source: "environment" });
  expect(JSON.stringify(settingsRecord(config))).not.toContain("s3cret");
});

test("texts are escaped", () => {
  expect(describeSetting("throttleQuery", "SELECT 1\n\u001b[2J")).toBe(String.raw`SELECT 1\n\u001b[2J`);
});
