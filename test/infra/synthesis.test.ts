/** The real program on the real components, for every stage and set of settings, against every check. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildProgram, type Program } from "./build.ts";
import { CASES } from "./cases.ts";
import { CHECKS } from "./checks/all.ts";
import { SLOW_MS } from "./platform.ts";
import { describeWithPlatform } from "./platform-tests.ts";
import type { Stack } from "./stack.ts";
import { synthesize } from "./synth.ts";

describeWithPlatform("what is deployed", () => {
  let program: Program;
  beforeAll(async () => {
    program = await buildProgram();
  }, SLOW_MS);
  afterAll(() => program[Symbol.asyncDispose]());

  describe.each(CASES)("$title", ({ options, expected }) => {
    let stack: Stack;
    beforeAll(async () => {
      stack = await synthesize({ program, ...options });
    }, SLOW_MS);

    test.each(CHECKS)("$name", ({ run }) => {
      expect(run(stack, expected)).toEqual([]);
    });
  });
});
