/** The settings of a deploy: refused where they are wrong, handed to the functions where they are right. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readSettings } from "../../infra/settings.ts";
import { buildProgram } from "./build.ts";
import { SLOW_MS } from "./platform.ts";
import { describeWithPlatform } from "./platform-tests.ts";
import { synthesize } from "./synth.ts";

const SOUND = { RELAY_URL: "wss://relay.example.com" };

describe("refused, with what was wrong and what would be right", () => {
  test.each([
    ["no relay", {}, /RELAY_URL is not set/],
    ["a relay that is no address", { RELAY_URL: "bsky.network" }, /RELAY_URL is "bsky.network"/],
    [
      "a number that is none",
      { ...SOUND, BACKFILL_MAX_CONCURRENT: "two" },
      /BACKFILL_MAX_CONCURRENT is "two"; it takes/,
    ],
    ["a number out of range", { ...SOUND, BACKFILL_MAX_CONCURRENT: "0" }, /it takes a whole number from 1 to 100/],
    [
      "a name that is none",
      { ...SOUND, BACKFILL_BATCHSIZE: "5" },
      /BACKFILL_BATCHSIZE is not a setting; did you mean BACKFILL_BATCH_SIZE/,
    ],
    ["more memory than a function can have", { ...SOUND, BACKFILL_MAX_MEMORY_MB: "8193" }, /8192 is the largest/],
    [
      "two places for alarms",
      {
        ...SOUND,
        BACKFILL_ALARM_EMAIL: "a@example.com",
        BACKFILL_ALARM_TOPIC_ARN: "arn:aws:sns:eu-central-1:123456789012:x",
      },
      /both set/,
    ],
    [
      "a switch of tracing that is none",
      { ...SOUND, LAMBDA_TRACING: "yes" },
      /LAMBDA_TRACING is "yes"; it takes off or active/,
    ],
    [
      "more than an environment holds",
      {
        ...SOUND,
        BACKFILL_DIDS: Array.from({ length: 100 }, (_, index) => `did:plc:${"a".repeat(20)}${index}`).join(","),
      },
      /BACKFILL_DIDS is the largest: write its list to a file/,
    ],
    [
      "more than an environment holds, as Lambda counts: a quote is two bytes",
      { ...SOUND, BACKFILL_THROTTLE_QUERY: `select 1 -- ${'"'.repeat(1500)}` },
      /take 30\d\d bytes as JSON[^]*BACKFILL_THROTTLE_QUERY is the largest: make it shorter/,
    ],
  ])("%s", (_, env, message) => {
    expect(() => readSettings(env)).toThrow(message);
  });

  test("all problems at once", () => {
    const wrong = { BACKFILL_DAYS: "-2", BACKFILL_PROFILE: "turbo" };
    expect(() => readSettings(wrong)).toThrow(/^3 problems:[^]*BACKFILL_PROFILE[^]*BACKFILL_DAYS[^]*RELAY_URL/);
  });
});

describe("handed to the functions", () => {
  test("what was set, trimmed, and nothing that was not", () => {
    const { environment } = readSettings({ ...SOUND, BACKFILL_DAYS: " 3 ", BACKFILL_PROFILE: "", HOME: "/root" });
    expect(environment).toEqual({ ...SOUND, BACKFILL_DAYS: "3" });
  });

  test("not what belongs to the secret, the stage or the machine that deploys", () => {
    const { environment } = readSettings({
      ...SOUND,
      DATABASE_URL: "postgres://me@127.0.0.1/mine",
      BACKFILL_TABLE: "mine",
      BACKFILL_QUEUE_URL: "http://127.0.0.1:1/queue/mine",
      BACKFILL_DLQ_URL: "http://127.0.0.1:1/queue/dead",
      BACKFILL_DATA_DIR: "/tmp/mine",
      BACKFILL_ALARM_EMAIL: "me@example.com",
      PORT: "9000",
    });
    expect(environment).toEqual(SOUND);
  });

  test("a list in a file travels in the bundle", async () => {
    const folder = await mkdtemp(join(tmpdir(), "settings-"));
    try {
      const from = join(folder, "collections");
      await writeFile(from, "app.bsky.feed.post\n");
      const settings = readSettings({ ...SOUND, BACKFILL_COLLECTIONS: `@${from}` });
      expect(settings.bundledFiles).toEqual([{ from, to: "settings/BACKFILL_COLLECTIONS.txt" }]);
      expect(settings.environment["BACKFILL_COLLECTIONS"]).toBe("@settings/BACKFILL_COLLECTIONS.txt");
      expect(settings.config.settings.collections).toEqual(["app.bsky.feed.post"]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describeWithPlatform("a wrong setting", () => {
  test("fails the deploy with its message, before anything is registered", { timeout: SLOW_MS }, async () => {
    await using program = await buildProgram();
    const deploy = synthesize({ program, settings: { BACKFILL_BATCH_SIZE: "0", RELAY_URL: "" } });
    await expect(deploy).rejects.toThrow(/2 problems:\s+BACKFILL_BATCH_SIZE is "0"[^]*RELAY_URL is not set/);
  });
});
