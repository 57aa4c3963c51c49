import { describe, expect, test } from "vitest";
import { ConfigError } from "../errors.ts";
import { SETTINGS } from "./definitions.ts";
import { PROFILES } from "./profiles.ts";
import { parseTune } from "./tune.ts";

function problemsOf(values: Readonly<Record<string, unknown>>): readonly string[] {
  try {
    parseTune(values);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test("takes texts of the command line and values of an event alike", () => {
  const expected = { profile: null, throttle: { batchDelayMs: 4_000, useIdle: false } };
  expect(parseTune({ BACKFILL_BATCH_DELAY_MS: " 4000 ", BACKFILL_USE_IDLE: "false" })).toEqual(expected);
  expect(parseTune({ BACKFILL_BATCH_DELAY_MS: 4_000, BACKFILL_USE_IDLE: false })).toEqual(expected);
});

test("a profile brings its whole pace; single settings override it", () => {
  expect(parseTune({ BACKFILL_MAX_CONCURRENT: 3, BACKFILL_PROFILE: "fast" })).toEqual({
    profile: "fast",
    throttle: { ...PROFILES.fast, maxConcurrent: 3 },
  });
});

test.each(SETTINGS.filter(({ group }) => group === "throttle"))("$name can be tuned", ({ name, key, fallback }) => {
  expect(parseTune({ [name]: fallback })).toEqual({ profile: null, throttle: { [key]: fallback } });
});

test.each(SETTINGS.filter(({ group }) => group === "scope"))(
  "$name cannot be tuned, but a new run may have it",
  ({ name }) => {
    expect(problemsOf({ [name]: "x" })).toEqual([
      `${name} cannot be tuned: it is fixed until the run is finished. For another value begin a new run: start --new cancels this one`,
    ]);
  },
);

test.each(SETTINGS.filter(({ group }) => group === "deployment"))(
  "$name cannot be tuned, but the next start of the program takes it",
  ({ name }) => {
    expect(problemsOf({ [name]: "x" })).toEqual([
      `${name} cannot be tuned: it belongs to the program, not to a run. Set it in the environment and start the program again (on AWS: deploy again)`,
    ]);
  },
);

describe("problems", () => {
  test("a name that resembles none is answered with those that can be tuned", () => {
    expect(problemsOf({ FOO: "1" })).toEqual([
      "FOO is not a setting; tune takes BACKFILL_PROFILE, BACKFILL_BATCH_SIZE, BACKFILL_BATCH_DELAY_MS, BACKFILL_MAX_CONCURRENT, BACKFILL_MAX_MEMORY_MB, BACKFILL_USE_IDLE, BACKFILL_DB_POOL_SIZE, MEMORY_CHECK_INTERVAL",
    ]);
  });

  test("all are listed at once", () => {
    expect(
      problemsOf({
        BACKFILL_DAYS: 3,
        BACKFILL_BATCH_DELAY: 1,
        BACKFILL_PROFILE: "turbo",
        BACKFILL_BATCH_SIZE: 1.5,
        BACKFILL_MAX_CONCURRENT: 0,
      }),
    ).toEqual([
      "BACKFILL_DAYS cannot be tuned: it is fixed until the run is finished. For another value begin a new run: start --new cancels this one",
      "BACKFILL_BATCH_DELAY is not a setting; did you mean BACKFILL_BATCH_DELAY_MS?",
      'BACKFILL_PROFILE is "turbo"; it takes one of background, moderate, fast',
      'BACKFILL_BATCH_SIZE is "1.5"; it takes a whole number from 1 to 1000',
      'BACKFILL_MAX_CONCURRENT is "0"; it takes a whole number from 1 to 100',
    ]);
  });

  test.each([[null], [""], [[5]], [{ value: 5 }], [1e21], [Number.NaN], [true], ["5;"]])(
    "a batch size of %j is refused",
    (value) => {
      expect(problemsOf({ BACKFILL_BATCH_SIZE: value })).toHaveLength(1);
    },
  );

  test("a tune of nothing is refused and says what it takes", () => {
    const [problem = "", ...more] = problemsOf({});
    expect(more).toEqual([]);
    expect(problem).toContain("BACKFILL_BATCH_DELAY_MS");
    expect(problem).not.toContain("BACKFILL_DAYS");
  });
});
