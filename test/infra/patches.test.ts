/** Each check is shown to fail: on a fault in what was registered, and on nothing else than that. */
import { beforeAll, expect, test } from "vitest";
import { buildProgram } from "./build.ts";
import { CHECKS, problemsOf } from "./checks/all.ts";
import { DEFAULTS } from "./checks/check.ts";
import { PATCHES } from "./patch-list.ts";
import { applyPatch } from "./patches.ts";
import { SLOW_MS } from "./platform.ts";
import { describeWithPlatform } from "./platform-tests.ts";
import type { Stack } from "./stack.ts";
import { synthesize } from "./synth.ts";

describeWithPlatform("a fault in what is registered is found", () => {
  let sound: Stack;
  beforeAll(async () => {
    await using program = await buildProgram();
    sound = await synthesize({ program });
  }, SLOW_MS);

  test("there is none to begin with", () => {
    expect(problemsOf(sound, DEFAULTS)).toEqual({});
  });

  test("no check is left without a fault that it finds", () => {
    const covered = new Set(PATCHES.map(({ check }) => check));
    expect(CHECKS.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual([]);
  });

  test.each(PATCHES)("$check: $fault", (patch) => {
    const { stack, expected } = applyPatch(sound, patch);
    expect(Object.keys(problemsOf(stack, expected))).toContain(patch.check);
  });
});
