/** The settings of a deploy: refused where they are wrong, handed to the functions where they are right. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareSettings, settingsToKeep } from "../../infra/kept-settings.ts";
import { readSettings as readOf } from "../../infra/settings.ts";
import { buildProgram, type Program } from "./build.ts";
import { SLOW_MS } from "./platform.ts";
import { describeWithPlatform } from "./platform-tests.ts";
import { RELAY_URL, synthesize } from "./synth.ts";

const readSettings = (env: Readonly<Record<string, string>>) => readOf(env, { stage: "test" });

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
      "subnets without security groups",
      { ...SOUND, BACKFILL_VPC_SUBNETS: "subnet-01234567" },
      /BACKFILL_VPC_SUBNETS is set, but BACKFILL_VPC_SECURITY_GROUPS is not/,
    ],
    [
      "security groups without subnets",
      { ...SOUND, BACKFILL_VPC_SECURITY_GROUPS: "sg-01234567" },
      /BACKFILL_VPC_SECURITY_GROUPS is set, but BACKFILL_VPC_SUBNETS is not/,
    ],
    [
      "issue 16.4: an audit from inside a VPC",
      {
        ...SOUND,
        BACKFILL_AUDIT_SAMPLE: "300",
        BACKFILL_VPC_SUBNETS: "subnet-01234567",
        BACKFILL_VPC_SECURITY_GROUPS: "sg-01234567",
      },
      /in a VPC no function reaches both the database and the accounts' hosts/,
    ],
    ["certificates that are none", { ...SOUND, BACKFILL_DATABASE_CA: "package.json" }, /holds no certificate in PEM/],
    ["certificates that are not there", { ...SOUND, BACKFILL_DATABASE_CA: "no/such.pem" }, /no\/such\.pem/],
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

describe("compared with the last deploy", () => {
  const before = { RELAY_URL: "wss://relay.example.com", BACKFILL_ALARM_EMAIL: "me@example.com", BACKFILL_DAYS: "1" };

  test("issue 18.6: what was set and is missing now is refused, with what it was and the ways out", () => {
    const now = { RELAY_URL: "wss://relay.example.com" };
    expect(() => compareSettings(before, now, undefined)).toThrow(
      /BACKFILL_ALARM_EMAIL=me@example\.com\n {2}BACKFILL_DAYS=1\n.*DEPLOY_DROPS=BACKFILL_ALARM_EMAIL,BACKFILL_DAYS$/,
    );
    expect(() => compareSettings(before, now, "BACKFILL_DAYS")).toThrow(/DEPLOY_DROPS=BACKFILL_ALARM_EMAIL$/);
  });

  test("issue 18.6: what is dropped by name is dropped; changes and additions are shown", () => {
    const now = { RELAY_URL: "wss://other.example.com", BACKFILL_DAYS: "1", BACKFILL_PROFILE: "fast" };
    expect(compareSettings(before, now, "BACKFILL_ALARM_EMAIL")).toEqual([
      "BACKFILL_ALARM_EMAIL: was me@example.com, is dropped",
      "RELAY_URL: was wss://relay.example.com, is wss://other.example.com",
      "BACKFILL_PROFILE: was not set, is fast",
    ]);
    expect(compareSettings(before, before, undefined)).toEqual([]);
  });

  test("issue 18.6: a name that is not dropped is a mistake", () => {
    expect(() => compareSettings(before, before, "BACKFILL_DAY")).toThrow(/DEPLOY_DROPS names BACKFILL_DAY, but/);
  });

  test("a file is kept as its hash, so that a changed list is shown", () => {
    const settings = { BACKFILL_DIDS: "@dids.txt", DATABASE_URL: "postgres://me:secret@a/b" };
    const [one, other] = ["did:plc:a", "did:plc:b"].map((text) => settingsToKeep(settings, () => text));
    expect(Object.keys(one ?? {})).toEqual(["BACKFILL_DIDS"]);
    expect(one?.["BACKFILL_DIDS"]).toMatch(/^file [0-9a-f]{16}$/);
    expect(one).not.toEqual(other);
  });
});

describe("alarms of production", () => {
  test("issue 18.6: somebody hears of them, or nobody does by name", () => {
    const production = (more: Readonly<Record<string, string>>) =>
      readOf({ ...SOUND, ...more }, { stage: "production" });
    expect(() => production({})).toThrow(/nobody who hears of its alarms[^]*BACKFILL_ALARM_EMAIL=none/);
    for (const [name, value] of [
      ["BACKFILL_ALARM_EMAIL", "me@example.com"],
      ["BACKFILL_ALARM_EMAIL", "none"],
      ["BACKFILL_ALARM_TOPIC_ARN", "arn:aws:sns:eu-central-1:123456789012:x"],
    ] as const)
      expect(() => production({ [name]: value })).not.toThrow();
  });
});

describeWithPlatform("a deploy", () => {
  let program: Program;
  beforeAll(async () => {
    program = await buildProgram();
  }, SLOW_MS);
  afterAll(() => program[Symbol.asyncDispose]());

  test("a wrong setting fails it with its message, before anything is registered", { timeout: SLOW_MS }, async () => {
    const deploy = synthesize({ program, settings: { BACKFILL_BATCH_SIZE: "0", RELAY_URL: "" } });
    await expect(deploy).rejects.toThrow(/2 problems:\s+BACKFILL_BATCH_SIZE is "0"[^]*RELAY_URL is not set/);
  });

  test("issue 18.6: so does a setting of the last deploy that is missing", { timeout: SLOW_MS }, async () => {
    const keptSettings = { RELAY_URL, BACKFILL_ALARM_EMAIL: "me@example.com" };
    await expect(synthesize({ program, keptSettings })).rejects.toThrow(/BACKFILL_ALARM_EMAIL=me@example\.com/);
    const settings = { DEPLOY_DROPS: "BACKFILL_ALARM_EMAIL" };
    const { warnings } = await synthesize({ program, keptSettings, settings });
    expect(warnings.join("\n")).toContain("BACKFILL_ALARM_EMAIL: was me@example.com, is dropped");
  });

  test("issue 18.6: alarms that are declined make no topic, and the deploy says so", { timeout: SLOW_MS }, async () => {
    const settings = { BACKFILL_ALARM_EMAIL: "none" };
    const { resources, outputs } = await synthesize({ program, stage: "production", settings });
    expect(resources.filter(({ type }) => type.startsWith("aws:sns/"))).toEqual([]);
    expect(outputs["alarms"]).toContain("NOWHERE, as BACKFILL_ALARM_EMAIL=none asks for");
  });

  test(
    "issue 18.2: in a region without EventBridge Schemas it goes without test events",
    { timeout: SLOW_MS },
    async () => {
      const { resources, warnings } = await synthesize({ program, region: "mx-central-1" });
      expect(resources.filter(({ type }) => type.startsWith("aws:schemas/"))).toEqual([]);
      expect(warnings.join("\n")).toContain("no ready-made events in mx-central-1");
      expect(resources.filter(({ type }) => type === "aws:lambda/function:Function")).toHaveLength(4);
    },
  );
});
