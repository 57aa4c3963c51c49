/** The parts of the rehearsal that need nothing installed: models, archives, expressions and patterns of our own making. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { conform } from "./rehearsal/conform.ts";
import { globMatches, globsMeet } from "./rehearsal/iam-data.ts";
import type { ServiceModel } from "./rehearsal/models.ts";
import { isScheduleExpression } from "./rehearsal/rules/schedule-expression.ts";
import { openZip } from "./rehearsal/zip.ts";

const MODEL: ServiceModel = {
  operations: { Make: { input: { shape: "Input" } }, Nothing: {} },
  shapes: {
    Input: {
      type: "structure",
      required: ["Name"],
      members: {
        Name: { shape: "Name" },
        Count: { shape: "Count" },
        Kinds: { shape: "Kinds" },
        Tags: { shape: "Tags" },
        On: { shape: "On" },
        Choice: { shape: "Choice" },
        Ratio: { shape: "Ratio" },
      },
    },
    Name: { type: "string", min: 2, max: 4, pattern: "[a-z]+" },
    Count: { type: "integer", min: 1, max: 10 },
    Ratio: { type: "double" },
    Kind: { type: "string", enum: ["a", "b"] },
    Kinds: { type: "list", member: { shape: "Kind" }, max: 2 },
    Tags: { type: "map", key: { shape: "Name" }, value: { shape: "Count" }, max: 1 },
    On: { type: "boolean" },
    Choice: { type: "structure", union: true, members: { A: { shape: "On" }, B: { shape: "On" } } },
  },
};

describe("a call's input against a model", () => {
  test.each([
    ["all of it", { Name: "abc", Count: 3, Kinds: ["a"], Tags: { ab: 1 }, On: false, Choice: { A: true }, Ratio: 0.5 }],
    ["what is required", { Name: "abc", Count: undefined }],
  ])("taken: %s", (_, input) => {
    expect(conform(MODEL, "Make", input)).toEqual([]);
  });

  test.each([
    ["a member that is not there", {}, "Name is required"],
    ["a member that is not known", { Name: "abc", Size: 1 }, "Size is not a member"],
    ["too short", { Name: "a" }, "Name: 1 characters; 2 is the least"],
    ["too long", { Name: "abcde" }, "Name: 5 characters; 4 is the most"],
    ["a part that matches", { Name: "ab1" }, 'Name: "ab1" does not match [a-z]+'],
    ["a line more", { Name: "ab\n" }, 'Name: "ab\\n" does not match [a-z]+'],
    ["another type", { Name: 12 }, "Name: 12 is no text"],
    ["a number as a text", { Name: "abc", Count: "3" }, 'Count: "3" is no number'],
    ["a part of a number", { Name: "abc", Count: 1.5 }, "Count: 1.5 is no whole number"],
    ["a number too large", { Name: "abc", Count: 11 }, "Count: 11; 10 is the most"],
    ["none of an enum, in a list", { Name: "abc", Kinds: ["a", "c"] }, 'Kinds.1: "c" is none of a, b'],
    ["a list too long", { Name: "abc", Kinds: ["a", "a", "a"] }, "Kinds: 3 entries; 2 is the most"],
    ["no list", { Name: "abc", Kinds: "a" }, 'Kinds: "a" is no list'],
    ["a map's name", { Name: "abc", Tags: { A: 1 } }, "Tags.the name A: 1 characters; 2 is the least"],
    ["a map's value", { Name: "abc", Tags: { ab: 0 } }, "Tags.ab: 0; 1 is the least"],
    ["a boolean as a text", { Name: "abc", On: "true" }, 'On: "true" is no boolean'],
    ["two of one", { Name: "abc", Choice: { A: true, B: true } }, "Choice: takes one member, not 2"],
  ])("refused: %s", (_, input, says) => {
    expect(conform(MODEL, "Make", input)).toContain(says);
  });

  test("an operation that is not known is refused, one without input takes anything", () => {
    expect(conform(MODEL, "Unmake", {})).toEqual(["there is no operation Unmake"]);
    expect(conform(MODEL, "Nothing", {})).toEqual([]);
  });
});

describe("a schedule's expression", () => {
  test.each([
    "rate(1 minute)",
    "rate(5 minutes)",
    "rate(1 hour)",
    "rate(2 days)",
    "cron(* * * * ? *)",
    "cron(0/15 8-17 ? * MON-FRI *)",
    "cron(0 12 1,15 * ? 2026-2030)",
    "cron(0 12 L * ? *)",
    "cron(0 12 ? * 6#3 *)",
    "at(2026-11-28T12:00:00)",
  ])("%s is read", (text) => {
    expect(isScheduleExpression(text)).toBe(true);
  });

  test.each([
    "rate(1 minutes)",
    "rate(5 minute)",
    "rate(0 minutes)",
    "rate(1.5 hours)",
    "rate(30 seconds)",
    "rate (1 minute)",
    "every minute",
    "cron(* * * * *)",
    "cron(* * * * * *)",
    "cron(* * ? * ? *)",
    "cron(60 * * * ? *)",
    "cron(0 24 * * ? *)",
    "cron(0 0 * 13 ? *)",
    "cron(0 0 ? * MONDAY *)",
    "cron(0/0 * * * ? *)",
    "at(2026-13-01T00:00:00)",
    "at(tomorrow)",
  ])("%s is refused", (text) => {
    expect(isScheduleExpression(text)).toBe(false);
  });
});

describe("patterns of ARNs", () => {
  test.each([
    ["sqs:*", "sqs:SendMessage", true],
    ["sqs:Send?essage", "sqs:SendMessage", true],
    ["a.c", "abc", false],
    ["*", "", true],
  ])("%s and the text %s", (pattern, text, matches) => {
    expect(globMatches(pattern, text)).toBe(matches);
  });

  test.each([
    ["arn:*:logs:*:*:log-group:*:log-stream:*", "arn:aws:logs:eu-central-1:1:log-group:/aws/lambda/f:*", true],
    ["arn:*:sqs:*:*:*", "arn:aws:dynamodb:eu-central-1:1:table/t", false],
    ["a*c", "?b*", true],
    ["a*", "b*", false],
    ["", "*", true],
  ])("%s and %s have a text in common: %s", (a, b, meet) => {
    expect(globsMeet(a, b)).toBe(meet);
    expect(globsMeet(b, a)).toBe(meet);
  });

  test("whatever matches both, they have in common", () => {
    const pattern = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 6 });
    const text = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 6 });
    let tried = 0;
    fc.assert(
      fc.property(pattern, pattern, text, (a, b, it) => {
        if (!globMatches(a, it) || !globMatches(b, it)) return;
        tried++;
        expect(globsMeet(a, b)).toBe(true);
      }),
      { numRuns: 2000 },
    );
    expect(tried).toBeGreaterThan(10);
  });
});

test("a file of a zip archive, stored or deflated, behind a comment", async () => {
  const folder = await mkdtemp(join(tmpdir(), "zip-"));
  try {
    const path = join(folder, "a.zip");
    await writeFile(path, zipOf({ "stored.txt": "as it is", "folder/deflated.json": '{"a":1}' }));
    const zip = openZip(path);
    expect(zip.names).toEqual(["stored.txt", "folder/deflated.json"]);
    expect(zip.read("stored.txt").toString()).toBe("as it is");
    expect(zip.read("folder/deflated.json").toString()).toBe('{"a":1}');
    expect(() => zip.read("other")).toThrow(/holds no other/);

    await writeFile(path, "no archive at all, though it is long enough");
    expect(() => openZip(path)).toThrow(/is no zip archive/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** Deflates what ends in `.json`. Local headers have an extra field that the directory has not. */
function zipOf(files: Readonly<Record<string, string>>): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  for (const [name, text] of Object.entries(files)) {
    const isDeflated = name.endsWith(".json");
    const data = isDeflated ? deflateRawSync(text) : Buffer.from(text);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    local.writeUInt16LE(4, 28);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(isDeflated ? 8 : 0, 10);
    entry.writeUInt32LE(data.length, 20);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(Buffer.concat(bodies).length, 42);
    bodies.push(local, Buffer.from(name), Buffer.alloc(4), data);
    directory.push(entry, Buffer.from(name));
  }
  const comment = Buffer.from("a comment");
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(Buffer.concat(bodies).length, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...bodies, ...directory, end, comment]);
}
