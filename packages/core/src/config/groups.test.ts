import { expect, test } from "vitest";
import { SETTINGS } from "./definitions.ts";
import { PACE_KEYS, pick, SCOPE_KEYS, THROTTLE_KEYS } from "./groups.ts";
import { PROFILES } from "./profiles.ts";
import { parseTune } from "./tune.ts";

test("issue 13.5: every setting of the throttle in the table can be tuned, and none is ignored", () => {
  const tunable = SETTINGS.filter(({ group }) => group === "throttle");
  expect(tunable.map(({ key }) => key)).toEqual(THROTTLE_KEYS);
  for (const { key, name, fallback } of tunable)
    expect(parseTune({ [name]: fallback }).throttle).toEqual({ [key]: fallback });
});

test("issue 13.5: the pace is a part of the throttle, and every profile has it", () => {
  expect(PACE_KEYS).toEqual(["batchSize", "batchDelayMs", "maxConcurrent"]);
  expect(SETTINGS.filter(({ isPace }) => isPace).map(({ group }) => group)).toEqual(PACE_KEYS.map(() => "throttle"));
  for (const profile of Object.values(PROFILES))
    expect(Object.keys(profile)).toEqual(expect.arrayContaining([...PACE_KEYS]));
});

test("issue 13.5: the scope is what the table says", () => {
  expect(SCOPE_KEYS).toEqual(SETTINGS.filter(({ group }) => group === "scope").map(({ key }) => key));
});

test("pick leaves the others out", () => {
  expect(pick({ a: 1, b: 2, c: 3 }, ["a", "c"])).toEqual({ a: 1, c: 3 });
});
