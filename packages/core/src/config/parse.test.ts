import { describe, expect, test } from "vitest";
import { ConfigError } from "../errors.ts";
import { SETTINGS } from "./definitions.ts";
import { parseConfig, type ParseOptions } from "./parse.ts";
import { PROFILES } from "./profiles.ts";
import type { RawConfig } from "./read-env.ts";

function problemsOf(raw: RawConfig, options?: ParseOptions): readonly string[] {
  try {
    parseConfig(raw, options);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test("nothing set: the documented defaults, all of them marked as such", () => {
  const { settings, sources } = parseConfig({});
  expect(settings).toEqual({
    relayUrl: null,
    source: "relay",
    databaseUrl: null,
    profile: "background",
    days: 1,
    batchSize: 5,
    batchDelayMs: 2_000,
    maxConcurrent: 2,
    maxMemoryMb: 512,
    useIdle: true,
    dbPoolSize: 2,
    memoryCheckInterval: 100,
    collections: [],
    dids: [],
    verify: "hash",
    throttleQuery: null,
    offPeak: null,
    plcUrl: "https://plc.directory",
    hostRate: 2,
    auditSample: 0,
    handles: false,
    contact: null,
    alarmEmail: null,
    alarmTopicArn: null,
    notifyUrl: null,
    reserveConcurrency: true,
    dashboard: true,
    vpcSubnets: [],
    vpcSecurityGroups: [],
    databaseCa: null,
    databaseUserArn: null,
    dataDir: ".backfill",
    port: 8_787,
    queueUrl: null,
    dlqUrl: null,
    table: null,
  });
  expect(new Set(Object.values(sources))).toEqual(new Set(["default"]));
  expect(Object.keys(sources).toSorted()).toEqual(Object.keys(settings).toSorted());
});

describe("every setting", () => {
  /** A valid text, its value, and texts that are refused. */
  const CASES: Readonly<Record<string, readonly [string, unknown, readonly string[]]>> = {
    RELAY_URL: ["wss://bsky.network", "wss://bsky.network", ["https://bsky.network", "bsky.network"]],
    BACKFILL_SOURCE: ["repos", "repos", ["Repos", "relay,repos", "firehose"]],
    BACKFILL_PLC_URL: [
      "http://localhost:2582/",
      "http://localhost:2582",
      [
        "http://plc.directory",
        "plc.directory",
        "wss://plc.directory",
        "https://u@plc.directory",
        "https://plc.directory/x",
      ],
    ],
    BACKFILL_AUDIT_SAMPLE: ["300", 300, ["-1", "1001", "1.5", "all"]],
    BACKFILL_HANDLES: ["true", true, ["1", "yes"]],
    BACKFILL_HOST_RATE: ["8", 8, ["0", "9", "1.5", "2/s"]],
    DATABASE_URL: ["postgres://u:p@h/db", "postgres://u:p@h/db", ["mysql://h/db", "postgres://", "h/db"]],
    BACKFILL_PROFILE: ["fast", "fast", ["Fast", "faster", "background,fast"]],
    BACKFILL_DAYS: ["-1", -1, ["-2", "3651", "1.5", "1e2", "0x10", "+1", "-0", "01", "one", "1 2", "1_000", "１"]],
    BACKFILL_BATCH_SIZE: ["1000", 1_000, ["0", "1001", "-5", "5 events"]],
    BACKFILL_BATCH_DELAY_MS: ["0", 0, ["-1", "600001", "2s", "NaN", "Infinity"]],
    BACKFILL_MAX_CONCURRENT: ["100", 100, ["0", "101"]],
    BACKFILL_MAX_MEMORY_MB: ["128", 128, ["127", "10241", "512MB"]],
    BACKFILL_USE_IDLE: ["false", false, ["0", "no", "TRUE"]],
    BACKFILL_DB_POOL_SIZE: ["50", 50, ["0", "51"]],
    BACKFILL_COLLECTIONS: [
      "app.bsky.feed.*, app.bsky.graph.follow",
      ["app.bsky.feed.*", "app.bsky.graph.follow"],
      ["*"],
    ],
    BACKFILL_DIDS: ["did:plc:abc,did:web:a.test", ["did:plc:abc", "did:web:a.test"], ["plc:abc", "a.test"]],
    BACKFILL_VERIFY: ["signature", "signature", ["none"]],
    BACKFILL_THROTTLE_QUERY: [
      "SELECT 0\n  FROM x",
      "SELECT 0\n  FROM x",
      ["SELECT\u0000", `x${" ".repeat(3_000)}\u0000x`],
    ],
    BACKFILL_OFF_PEAK: [
      "22:00-06:00 Europe/Berlin fast",
      { fromMinute: 1_320, toMinute: 360, timeZone: "Europe/Berlin", profile: "fast" },
      ["22:00-06:00"],
    ],
    BACKFILL_CONTACT: ["ops@a.test", "ops@a.test", ["a\r\nHost: b", "ü", "x".repeat(201)]],
    BACKFILL_ALARM_EMAIL: ["ops@a.test", "ops@a.test", ["ops", "a b@c", "None"]],
    BACKFILL_ALARM_TOPIC_ARN: [
      "arn:aws:sns:eu-central-1:123456789012:alarms",
      "arn:aws:sns:eu-central-1:123456789012:alarms",
      ["arn:aws:sqs:eu-central-1:123456789012:q", "alarms"],
    ],
    BACKFILL_NOTIFY_URL: [
      "https://hooks.example/services/T0/B0/x",
      "https://hooks.example/services/T0/B0/x",
      ["http://hooks.example/x", "hooks.example", "ftp://hooks.example/x", "https://u:p@hooks.example/x"],
    ],
    BACKFILL_RESERVE_CONCURRENCY: ["false", false, ["off"]],
    BACKFILL_DASHBOARD: ["false", false, ["no"]],
    BACKFILL_VPC_SUBNETS: [
      "subnet-0123456789abcdef0, subnet-01234567",
      ["subnet-0123456789abcdef0", "subnet-01234567"],
      [
        "vpc-0123456789abcdef0",
        "subnet-0123",
        "subnet-01234567,",
        "subnet-01234567,subnet-01234567",
        Array.from({ length: 17 }, (_, i) => `subnet-012345${10 + i}`).join(","),
      ],
    ],
    BACKFILL_VPC_SECURITY_GROUPS: [
      "sg-0123456789abcdef0",
      ["sg-0123456789abcdef0"],
      ["default", "sg-01234567 sg-01234568", "sg-01234561,sg-01234562,sg-01234563,sg-01234564,sg-01234565,sg-01234566"],
    ],
    BACKFILL_DATABASE_CA: ["certs/rds.pem", "certs/rds.pem", ["~/rds.pem", "$HOME/rds.pem"]],
    BACKFILL_DATABASE_USER_ARN: [
      "arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABCDEFGHIJKL/backfill",
      "arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABCDEFGHIJKL/backfill",
      [
        "arn:aws:rds-db:eu-central-1:123456789012:dbuser:*/backfill",
        "arn:aws:rds:eu-central-1:123456789012:db:mine",
        "backfill",
      ],
    ],
    BACKFILL_DATA_DIR: [
      "/var/lib/backfill",
      "/var/lib/backfill",
      ["a\u0000b", "~", "~/x", "~user/x", "$HOME/x", "${HOME}/x", "/a/$USER", "%USERPROFILE%\\x"],
    ],
    MEMORY_CHECK_INTERVAL: ["1000000", 1_000_000, ["0", "1000001"]],
    PORT: ["0", 0, ["-1", "65536"]],
    BACKFILL_QUEUE_URL: [
      "http://127.0.0.1:9324/000000000000/q",
      "http://127.0.0.1:9324/000000000000/q",
      ["q", "sqs://q/x"],
    ],
    BACKFILL_DLQ_URL: ["https://sqs.aws/1/dlq", "https://sqs.aws/1/dlq", ["https://sqs.aws"]],
    BACKFILL_TABLE: ["backfill-dev.Table_1", "backfill-dev.Table_1", ["ab", "a b c"]],
  };

  const caseOf = (name: string) => CASES[name] ?? (["", null, []] as const);

  test("has a case", () => {
    expect(Object.keys(CASES).toSorted()).toEqual(SETTINGS.map(({ name }) => name).toSorted());
  });

  test.each(SETTINGS)("$name is read, trimmed, and known by its source", ({ name, key }) => {
    const [text, value] = caseOf(name);
    const config = parseConfig({ [name]: `  ${text}\t` });
    expect(config.settings[key]).toEqual(value);
    expect(config.sources[key]).toBe("environment");
  });

  test.each(SETTINGS)("$name: an empty text is as good as none", ({ name }) => {
    expect(parseConfig({ [name]: " \t" })).toEqual(parseConfig({}));
  });

  test.each(SETTINGS)("$name: a wrong value is named, with what it held and what it takes", ({ name, kind }) => {
    const [, , wrong] = caseOf(name);
    for (const text of wrong) {
      const [problem = "", ...more] = problemsOf({ [name]: text });
      expect(more).toEqual([]);
      expect(problem.slice(0, problem.lastIndexOf("; it takes"))).toContain(`${name} is ${kind.showHeld(text)}`);
      expect(problem.slice(problem.lastIndexOf("; it takes"))).toBe(`; it takes ${kind.takes}`);
    }
    expect(wrong.length).toBeGreaterThan(0);
  });
});

describe("problems", () => {
  test("all are listed at once, names first, then values in the order of the table", () => {
    const problems = problemsOf({ PORT: "x", BACKFILL_DAYS: "abc", BACKFILL_BATCHSIZE: "5", BACKFILL_USE_IDLE: "1" });
    expect(problems).toEqual([
      "BACKFILL_BATCHSIZE is not a setting; did you mean BACKFILL_BATCH_SIZE?",
      'BACKFILL_DAYS is "abc"; it takes a whole number from -1 to 3650',
      'BACKFILL_USE_IDLE is "1"; it takes true or false',
      'PORT is "x"; it takes a whole number from 0 to 65535',
    ]);
  });

  test("an unknown name is a problem even when it is empty, and no guess is made where none is near", () => {
    expect(problemsOf({ BACKFILL_SPEED_OF_LIGHT: "" })).toEqual(["BACKFILL_SPEED_OF_LIGHT is not a setting"]);
    expect(problemsOf({ BACKFILL_MAX_MEMORY: "1" })[0]).toContain("did you mean BACKFILL_MAX_MEMORY_MB?");
    expect(problemsOf({ "BACKFILL_\u001b[31m": "1" })[0]).toContain("BACKFILL_\\u001b[31m");
  });

  test("a password is never shown", () => {
    for (const url of [
      "mysql://u:s3cret@h/db",
      "postgres://u:s3cret/x@h/db",
      "postgres://u:s3cret#x@h/db",
      "postgres://u:s3cret h/db",
      "postgres://u:s3cret",
    ]) {
      const [problem = ""] = problemsOf({ DATABASE_URL: url });
      expect(problem).toContain("DATABASE_URL is ");
      expect(problem).not.toContain("s3cret");
    }
    expect(problemsOf({ RELAY_URL: "wss://u:s3cret@h" })[0]).not.toContain("s3cret");
  });

  test("a value with control characters is escaped", () => {
    expect(problemsOf({ BACKFILL_DAYS: "1\u001b[2J\n2" })).toEqual([
      String.raw`BACKFILL_DAYS is "1\u001b[2J\n2"; it takes a whole number from -1 to 3650`,
    ]);
  });
});

describe("profiles", () => {
  test.each(["background", "moderate", "fast"] as const)("%s is the seed's", (profile) => {
    const { settings, sources } = parseConfig({ BACKFILL_PROFILE: profile });
    expect(settings).toMatchObject({ profile, ...PROFILES[profile] });
    expect(sources).toMatchObject({ profile: "environment", batchSize: "profile", dbPoolSize: "profile" });
    expect(sources.memoryCheckInterval).toBe("default");
  });

  test("their rates are 2.5, 20 and 100 events a second", () => {
    const rates = Object.values(PROFILES).map(({ batchSize, batchDelayMs }) => (batchSize / batchDelayMs) * 1_000);
    expect(rates).toEqual([2.5, 20, 100]);
  });

  test("single settings override theirs", () => {
    const { settings, sources } = parseConfig({ BACKFILL_PROFILE: "fast", BACKFILL_BATCH_SIZE: "7" });
    expect(settings).toMatchObject({ ...PROFILES.fast, batchSize: 7 });
    expect(sources).toMatchObject({ batchSize: "environment", batchDelayMs: "profile" });
  });
});

describe("overrides", () => {
  test("a flag wins over the environment, an event over both", () => {
    const { settings, sources } = parseConfig(
      { BACKFILL_DAYS: "1", BACKFILL_VERIFY: "structure", PORT: "1" },
      {
        overrides: [
          { source: "flag", values: { BACKFILL_DAYS: "2", PORT: "2", BACKFILL_DIDS: "" } },
          { source: "event", values: { BACKFILL_DAYS: "3" } },
        ],
      },
    );
    expect(settings).toMatchObject({ days: 3, verify: "structure", port: 2, dids: [] });
    expect(sources).toMatchObject({ days: "event", verify: "environment", port: "flag", dids: "default" });
  });

  test("a profile of a later layer sets the whole pace; single settings of its own layer override it", () => {
    const { settings, sources } = parseConfig(
      { BACKFILL_BATCH_SIZE: "7", BACKFILL_MAX_MEMORY_MB: "256" },
      { overrides: [{ source: "event", values: { BACKFILL_PROFILE: "moderate", BACKFILL_MAX_CONCURRENT: "3" } }] },
    );
    expect(settings).toMatchObject({ ...PROFILES.moderate, maxConcurrent: 3 });
    expect(sources).toMatchObject({ batchSize: "profile", maxMemoryMb: "profile", maxConcurrent: "event" });
  });

  test("an event can set nothing of the deployment, and names no file there", () => {
    const readFile = () => expect.fail("an event made us read a file");
    const values = {
      DATABASE_URL: "postgres://h/db",
      BACKFILL_THROTTLE_QUERY: "SELECT 0",
      BACKFILL_DIDS: "@/etc/passwd",
    };
    const problems = problemsOf({}, { overrides: [{ source: "event", values }], readFile });
    expect(problems).toHaveLength(3);
    expect(problems[0]).toBe("DATABASE_URL is a setting of the deployment; a control event cannot set it");
    expect(problems[1]).toContain("BACKFILL_DIDS");
    expect(problems[1]).toContain("a file cannot be named here");
    expect(problems[2]).toContain("BACKFILL_THROTTLE_QUERY is a setting of the deployment");
  });

  test("a problem of a layer that is overridden is still a problem", () => {
    const overrides = [{ source: "flag" as const, values: { BACKFILL_DAYS: "3" } }];
    expect(problemsOf({ BACKFILL_DAYS: "abc" }, { overrides })).toHaveLength(1);
  });
});

describe("where it is deployed", () => {
  test("RELAY_URL is required, wherever it comes from", () => {
    const overrides = [{ source: "event" as const, values: { RELAY_URL: "wss://a.test" } }];
    expect(problemsOf({}, { deployed: true })).toEqual([
      "RELAY_URL is not set; where this is deployed it takes wss://host[:port], or ws:// for a host on loopback",
    ]);
    expect(problemsOf({ RELAY_URL: " " }, { deployed: true })).toHaveLength(1);
    expect(problemsOf({ RELAY_URL: "wss://a.test" }, { deployed: true })).toEqual([]);
    expect(problemsOf({}, { deployed: true, overrides })).toEqual([]);
  });

  test("a wrong one is one problem, not two", () => {
    expect(problemsOf({ RELAY_URL: "nonsense" }, { deployed: true })).toHaveLength(1);
  });
});

test("issue 17.7: handles are refused where this is deployed, with the command that looks them up", () => {
  const relay = { RELAY_URL: "wss://relay.example" };
  expect(parseConfig({ BACKFILL_HANDLES: "true" }).settings.handles).toBe(true);
  for (const raw of [{ ...relay, BACKFILL_HANDLES: "true" }, { BACKFILL_SOURCE: "handles" }])
    expect(() => parseConfig(raw, { deployed: true })).toThrow(/start --source handles on a machine/);
});
