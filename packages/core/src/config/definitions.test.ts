import { expect, test } from "vitest";
import { definitionNamed, definitionOf, SETTINGS } from "./definitions.ts";

test("names are unique, and each setting is found by its name and by its key", () => {
  expect(new Set(SETTINGS.map(({ name }) => name)).size).toBe(SETTINGS.length);
  for (const definition of SETTINGS) {
    expect(definitionNamed(definition.name)).toBe(definition);
    expect(definitionOf(definition.key)).toBe(definition);
  }
  expect(definitionNamed("BACKFILL_NOTHING")).toBeNull();
});

test.each(SETTINGS)("$name is described in one line, and says what it takes", ({ help, kind }) => {
  expect(help).toMatch(/^[A-Z].*\.$/);
  expect(help.length).toBeLessThan(110);
  expect(kind.takes).not.toBe("");
});

test("the groups are the documented ones", () => {
  const namesOf = (wanted: string) => SETTINGS.filter(({ group }) => group === wanted).map(({ name }) => name);
  expect(namesOf("profile")).toEqual(["BACKFILL_PROFILE"]);
  expect(namesOf("scope")).toEqual([
    "RELAY_URL",
    "BACKFILL_SOURCE",
    "BACKFILL_DAYS",
    "BACKFILL_COLLECTIONS",
    "BACKFILL_DIDS",
    "BACKFILL_VERIFY",
  ]);
  expect(namesOf("throttle")).toEqual([
    "BACKFILL_BATCH_SIZE",
    "BACKFILL_BATCH_DELAY_MS",
    "BACKFILL_MAX_CONCURRENT",
    "BACKFILL_MAX_MEMORY_MB",
    "BACKFILL_USE_IDLE",
    "BACKFILL_DB_POOL_SIZE",
    "MEMORY_CHECK_INTERVAL",
  ]);
});
