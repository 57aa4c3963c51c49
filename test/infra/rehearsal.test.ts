/**
 * The deploy rehearsal: what each stage would ask of AWS, judged by AWS's own published service models and by rules for
 * what those let pass. Each rule, and the model of each kind of resource, is shown to refuse a deliberate fault.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LARGEST_ENVIRONMENT_BYTES } from "../../infra/settings.ts";
import { buildProgram, type Program } from "./build.ts";
import { applyPatch, type Patchable } from "./patches.ts";
import { SLOW_MS } from "./platform.ts";
import { describeWithRehearsal } from "./platform-tests.ts";
import { callsOf, fieldsOf } from "./rehearsal/call.ts";
import { FAULTS } from "./rehearsal/faults.ts";
import { SOURCE_FAULTS } from "./rehearsal/faults-source.ts";
import { SOUND_QUERIES } from "./rehearsal/faults-watching.ts";
import { rehearse, THE_MODEL } from "./rehearsal/rehearse.ts";
import { RULES } from "./rehearsal/rules/all.ts";
import { environmentBytes } from "./rehearsal/rules/functions.ts";
import { LONGEST_STAGE_NAME, PRODUCTION, STAGES } from "./rehearsal/stages.ts";
import { callsFor, TRANSLATED_TYPES } from "./rehearsal/translate.ts";
import type { Stack } from "./stack.ts";
import { RELAY_URL, synthesize } from "./synth.ts";

const NO_PATCH = { check: "", fault: "" };

describeWithRehearsal("the deploy rehearsal", () => {
  let program: Program;
  let production: Stack;
  beforeAll(async () => {
    program = await buildProgram();
    production = await synthesize({ program, ...PRODUCTION.options });
  }, SLOW_MS);
  afterAll(() => program[Symbol.asyncDispose]());

  test.each(STAGES)(
    "issue 18.1: AWS would take every call of $title",
    { timeout: SLOW_MS },
    async ({ title, options }) => {
      const stack = title === PRODUCTION.title ? production : await synthesize({ program, ...options });
      const { calls, problems } = rehearse(stack);
      console.info(`${title}: ${calls} calls`);
      expect(problems).toEqual({});
      // Every resource of AWS's asks for something, or the rehearsal would pass over it.
      const silent = stack.resources.filter(
        ({ type, name }) => type.startsWith("aws:") && !callsFor(stack).some(({ of }) => of === name),
      );
      expect(silent.map(({ name }) => name)).toEqual([]);
    },
  );

  test.each([
    { isDev: false, atLeast: 3600 },
    // The limit is no lower than it has to be: the largest environment is near Lambda's own.
    { isDev: true, atLeast: 3900 },
  ])(
    "issue 18.1: the largest settings that are accepted fit under the longest names, in sst dev: $isDev",
    { timeout: SLOW_MS },
    async ({ isDev, atLeast }) => {
      const rest = environmentBytes({ RELAY_URL, BACKFILL_THROTTLE_QUERY: "" });
      // A quote is one byte of the value and two of the JSON.
      const query = `select 1 -- ${'"'.repeat(1000)}`;
      const padding = "x".repeat(LARGEST_ENVIRONMENT_BYTES - rest - 12 - 2000);
      const settings = { BACKFILL_THROTTLE_QUERY: query + padding, BACKFILL_ALARM_EMAIL: "on-call@example.com" };
      const stack = await synthesize({ program, stage: LONGEST_STAGE_NAME, isDev, settings });
      expect(rehearse(stack).problems).toEqual({});
      const sizes = callsOf(callsFor(stack), "lambda.CreateFunction").map(({ input }) =>
        environmentBytes(fieldsOf(fieldsOf(input["Environment"])["Variables"])),
      );
      expect(Math.max(...sizes)).toBeGreaterThan(atLeast);

      const tooLarge = { ...settings, BACKFILL_THROTTLE_QUERY: `${query}${padding}x` };
      await expect(synthesize({ program, stage: LONGEST_STAGE_NAME, isDev, settings: tooLarge })).rejects.toThrow(
        /a function's environment has room for/,
      );
    },
  );

  test.each(FAULTS)("$rule: $fault", ({ rule, says, apply }) => {
    const { stack } = applyPatch(production, { ...NO_PATCH, apply });
    expect(rehearse(stack).problems[rule]?.join("\n") ?? "it was not refused").toContain(says);
  });

  test(
    "issue 18.1: faults in the infra's own files are refused before anything is created",
    { timeout: SLOW_MS },
    async () => {
      await using broken = await buildProgram(SOURCE_FAULTS);
      const { problems } = rehearse(await synthesize({ ...PRODUCTION.options, program: broken }));
      for (const { rule, says } of SOURCE_FAULTS) expect(problems[rule]?.join("\n")).toContain(says);
      expect(problems["a queue's numbers are within SQS's ranges"]?.join()).toContain("DelaySeconds is 901");
    },
  );

  test.each([
    ["an alarm over an expression", SOUND_QUERIES],
    ["what the provider keeps to itself", (it: Patchable) => it.set("ReaderLogs", ["skipDestroy"], true)],
    [
      "a tag on a list of tags, and on a map",
      (it: Patchable) => {
        it.set("ReaderRole", ["tags"], { team: "on-call" });
        it.set("ReaderFunction", ["tags"], { team: "on-call" });
      },
    ],
    [
      "a function in a network, with its rights",
      (it: Patchable) => {
        it.set("ReaderFunction", ["vpcConfig"], { subnetIds: ["subnet-1a"], securityGroupIds: ["sg-1a"] });
        it.replace(
          "ReaderRole",
          String.raw`\"logs:CreateLogStream\",\"logs:PutLogEvents\"],\"effect\":\"Allow\",\"resources\":[`,
          String.raw`\"ec2:CreateNetworkInterface\",\"ec2:DescribeNetworkInterfaces\",\"ec2:DeleteNetworkInterface\"],\"effect\":\"Allow\",\"resources\":[\"*\",`,
        );
      },
    ],
  ])("taken: %s", (_, apply) => {
    const { stack } = applyPatch(production, { ...NO_PATCH, apply });
    expect(rehearse(stack).problems).toEqual({});
  });

  test("a resource of a kind that nobody translated is not passed over", () => {
    const { stack } = applyPatch(production, {
      ...NO_PATCH,
      apply: (it) => it.add("aws:kinesis/stream:Stream", "Events"),
    });
    expect(() => rehearse(stack)).toThrow(/Events is of type aws:kinesis/);
  });

  describe("nothing goes untried", () => {
    test("no rule is without a fault that it refuses", () => {
      const tried = new Set(FAULTS.map(({ rule }) => rule));
      expect(RULES.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual([]);
    });

    test("no fault is of a rule that is not there", () => {
      const known = new Set([THE_MODEL, ...RULES.map(({ name }) => name)]);
      expect(FAULTS.map(({ rule }) => rule).filter((rule) => !known.has(rule))).toEqual([]);
    });

    test("of every kind of resource the model refuses a fault", () => {
      const refused = new Set(
        FAULTS.filter(({ rule }) => rule === THE_MODEL).flatMap(({ apply }) => {
          const { stack } = applyPatch(production, { ...NO_PATCH, apply });
          const said = rehearse(stack).problems[THE_MODEL] ?? [];
          return stack.resources
            .filter(({ name }) => said.some((it) => it.startsWith(`${name},`)))
            .map(({ type }) => type);
        }),
      );
      expect(TRANSLATED_TYPES.filter((type) => !refused.has(type))).toEqual([]);
    });
  });
});
