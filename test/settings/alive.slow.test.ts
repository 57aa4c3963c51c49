/**
 * Every setting is alive: with it something happens that does not happen with its default. A setting that nothing reads
 * throttles nothing; the table below has a row for each, and a new setting without a row fails here.
 */
import { systemClock } from "@firehose-backfill/core/clock";
import { SETTINGS } from "@firehose-backfill/core/config/definitions";
import type { SettingKey } from "@firehose-backfill/core/config/settings";
import { startPostgres, type Postgres } from "@firehose-backfill/embedded/postgres-server";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { deleteEvent, forgedEvent } from "./events.ts";
import { observeAuditAfterRun, observeDirectory, observeHostRate } from "./observe-audit.ts";
import { observeConnections } from "./observe-database.ts";
import { observeConsumer } from "./observe-consumer.ts";
import { observeInfra } from "./observe-infra.ts";
import { observeDefaults, observeGiven, PORT_GIVEN, type ProgramSeen } from "./observe-program.ts";
import { observeNotify } from "./observe-notify.ts";
import { observeReader } from "./observe-reader.ts";
import { observeRuns, observeSource } from "./observe-repos.ts";
import { nearest, observeSimulation } from "./observe-simulation.ts";

type Settings = Readonly<Record<string, string>>;

interface Alive {
  /** As it would stand in the environment. */
  readonly given: string;
  /** Runs with these settings and says what was to be seen. */
  readonly observe: (settings: Settings) => Promise<unknown>;
  readonly withIt: unknown;
  readonly withDefault: unknown;
}

const TOPIC = "arn:aws:sns:eu-central-1:123456789012:on-call";
const SUBNET = "subnet-0123456789abcdef0";
const GROUP = "sg-0123456789abcdef0";
const NETWORK = { privateSubnets: [SUBNET], securityGroups: [GROUP] };
const CA = "packages/sink-postgres/fixtures/ca.crt";
const DATABASE_USER = "arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABCDEFGHIJKL/backfill";
const RATES = [1, 1.25, 2.5, 5, 20, 100];
const POST = "app.bsky.feed.post";

let folder: TemporaryFolder;
let postgres: Postgres;
let programs: { readonly given: Awaited<ReturnType<typeof observeGiven>>; readonly default: ProgramSeen };

beforeAll(async () => {
  folder = await temporaryFolder();
  postgres = await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true });
  const [given, byDefault] = await Promise.all([observeGiven(), observeDefaults()]);
  programs = { given, default: byDefault };
}, 180_000);

afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** The two programs were started with all of these given, and with none. */
function ofProgram(name: string, given: string, see: (program: ProgramSeen) => unknown, expected: [unknown, unknown]) {
  return {
    given,
    observe: (settings: Settings) => Promise.resolve(see(name in settings ? programs.given : programs.default)),
    withIt: expected[0],
    withDefault: expected[1],
  };
}

async function rateOf(settings: Settings): Promise<number | null> {
  return nearest((await observeSimulation(settings)).ratePerSecond, RATES);
}

/** One of the two alone is refused. */
async function networkWith(settings: Settings, other: Settings): Promise<unknown> {
  const given = Object.keys(settings).length === 0 ? {} : { ...settings, ...other };
  return (await observeInfra(given)).network;
}

const ALIVE: Readonly<Record<SettingKey, Alive>> = {
  profile: { given: "fast", observe: rateOf, withIt: 100, withDefault: 2.5 },
  batchDelayMs: { given: "4000", observe: rateOf, withIt: 1.25, withDefault: 2.5 },
  batchSize: {
    given: "10",
    observe: async (settings) => {
      const { largestBatch, ratePerSecond } = await observeSimulation(settings);
      return [largestBatch, nearest(ratePerSecond, RATES)];
    },
    withIt: [10, 5],
    withDefault: [5, 2.5],
  },
  maxConcurrent: {
    given: "1",
    observe: async (settings) => (await observeSimulation(settings, { latencyMs: 2_500 })).mostAtOnce,
    withIt: 1,
    withDefault: 2,
  },
  offPeak: { given: "00:00-23:59 UTC fast", observe: rateOf, withIt: 100, withDefault: 2.5 },
  days: {
    given: "3",
    observe: async (settings) => (await observeSimulation(settings)).daysBack,
    withIt: 3,
    withDefault: 1,
  },
  collections: {
    given: POST,
    observe: async (settings) => {
      const { collections, skipped } = await observeReader(settings);
      return [[...collections].every((collection) => collection === POST), (skipped["collection"] ?? 0) > 0];
    },
    withIt: [true, true],
    withDefault: [false, false],
  },
  dids: {
    given: "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa",
    observe: async (settings) => {
      const { dids, markers, skipped } = await observeReader(settings);
      return [dids.size === 0 && markers === 0, (skipped["did"] ?? 0) > 0];
    },
    withIt: [true, true],
    withDefault: [false, false],
  },
  verify: {
    given: "structure",
    observe: async (settings) => (await observeConsumer(settings, { batches: 1, events: [forgedEvent(1)] })).counts,
    withIt: { applied: 1, stale: 0, dead: 0 },
    withDefault: { applied: 0, stale: 0, dead: 1 },
  },
  useIdle: {
    given: "false",
    observe: async (settings) => {
      const batches = 40;
      const { otherWork } = await observeConsumer(settings, { batches, events: [deleteEvent(1)] });
      return otherWork >= batches;
    },
    withIt: false,
    withDefault: true,
  },
  maxMemoryMb: {
    given: "128",
    // This process holds more than 128 MB and less than 512.
    observe: async (settings) => {
      const work = { batches: 1, events: [deleteEvent(1)], giveUpAfterMs: 1_000 };
      const { counts, memoryPauses } = await observeConsumer(settings, work);
      return [counts.applied, memoryPauses > 0];
    },
    withIt: [0, true],
    withDefault: [1, false],
  },
  memoryCheckInterval: {
    given: "10",
    observe: async (settings) => {
      const looks = vi.spyOn(process.memoryUsage, "rss");
      let nowMs = Date.now();
      await observeConsumer(settings, {
        // One look at the memory is used for 20 ms, so each time that is asked for is that much later.
        clock: { ...systemClock, now: () => (nowMs += 20) },
        batches: 1,
        events: Array.from({ length: 500 }, (_, n) => deleteEvent(n + 1)),
      });
      const count = looks.mock.calls.length;
      looks.mockRestore();
      return count >= 50 ? "every 10 events" : "more rarely";
    },
    withIt: "every 10 events",
    withDefault: "more rarely",
  },
  dbPoolSize: {
    given: "1",
    observe: (settings) => observeConnections(postgres.databaseUrl, settings),
    withIt: 1,
    withDefault: 2,
  },
  relayUrl: ofProgram("RELAY_URL", "ws://127.0.0.1:1", ({ relay }) => relay === "sample", [false, true]),
  databaseUrl: ofProgram(
    "DATABASE_URL",
    "postgres://user@127.0.0.1/database",
    ({ schemaInGivenDatabase, standIns }) => [schemaInGivenDatabase, standIns.includes("postgres")],
    [
      [true, false],
      [false, true],
    ],
  ),
  throttleQuery: ofProgram("BACKFILL_THROTTLE_QUERY", "SELECT 1", ({ reason, processed }) => [reason, processed > 0], [
    ["waiting: throttle query: 1 > 0", false],
    [null, true],
  ]),
  source: { given: "repos", observe: observeSource, withIt: ["repos", "oldest"], withDefault: ["relay", "time"] },
  plcUrl: {
    given: "http://127.0.0.1:1",
    observe: async (settings) =>
      (await observeDirectory(postgres.databaseUrl, settings)).includes("http://127.0.0.1:1"),
    withIt: true,
    withDefault: false,
  },
  hostRate: {
    given: "8",
    observe: async (settings) => ((await observeHostRate(postgres.databaseUrl, settings)) > 4 ? "faster" : "slower"),
    withIt: "faster",
    withDefault: "slower",
  },
  auditSample: {
    given: "1",
    observe: (settings) => observeAuditAfterRun(postgres.databaseUrl, settings),
    withIt: 1,
    withDefault: null,
  },
  handles: { given: "true", observe: observeRuns, withIt: ["relay", "handles"], withDefault: ["relay"] },
  contact: {
    given: "ops@example.com",
    observe: (settings) => {
      const { userAgents, userAgentsWithoutContact } = programs.given;
      const agents = "BACKFILL_CONTACT" in settings ? userAgents : userAgentsWithoutContact;
      return Promise.resolve([agents.length > 0, agents.every((agent) => agent.endsWith("(ops@example.com)"))]);
    },
    withIt: [true, true],
    withDefault: [true, false],
  },
  dataDir: ofProgram("BACKFILL_DATA_DIR", "elsewhere", ({ dataDir }) => dataDir, ["elsewhere", ".backfill"]),
  port: ofProgram("PORT", String(PORT_GIVEN), ({ port }) => port, [PORT_GIVEN, 8787]),
  queueUrl: ofProgram(
    "BACKFILL_QUEUE_URL",
    "http://127.0.0.1:1/queue/work",
    ({ messagesInGivenQueue, standIns }) => [messagesInGivenQueue > 0, standIns.includes("queue")],
    [
      [true, false],
      [false, true],
    ],
  ),
  dlqUrl: ofProgram("BACKFILL_DLQ_URL", "http://127.0.0.1:1/queue/dead", ({ deadLetters }) => deadLetters, [1, 0]),
  table: ofProgram(
    "BACKFILL_TABLE",
    "theirs",
    ({ itemsInGivenTable, standIns }) => [itemsInGivenTable > 0, standIns.includes("table")],
    [
      [true, false],
      [false, true],
    ],
  ),
  alarmEmail: {
    given: "on-call@example.com",
    observe: async (settings) => (await observeInfra(settings)).subscribed,
    withIt: "on-call@example.com",
    withDefault: null,
  },
  alarmTopicArn: {
    given: TOPIC,
    observe: async (settings) => (await observeInfra(settings)).topic,
    withIt: TOPIC,
    withDefault: null,
  },
  notifyUrl: { given: "http://127.0.0.1:9/hook", observe: observeNotify, withIt: ["ended"], withDefault: [] },
  reserveConcurrency: {
    given: "false",
    observe: async (settings) => (await observeInfra(settings)).reserved,
    withIt: null,
    withDefault: { reserved: 2 },
  },
  dashboard: {
    given: "false",
    observe: async (settings) => (await observeInfra(settings)).dashboards,
    withIt: 0,
    withDefault: 1,
  },
  vpcSubnets: {
    given: SUBNET,
    observe: (settings) => networkWith(settings, { BACKFILL_VPC_SECURITY_GROUPS: GROUP }),
    withIt: NETWORK,
    withDefault: null,
  },
  vpcSecurityGroups: {
    given: GROUP,
    observe: (settings) => networkWith(settings, { BACKFILL_VPC_SUBNETS: SUBNET }),
    withIt: NETWORK,
    withDefault: null,
  },
  databaseCa: {
    given: CA,
    observe: async (settings) => (await observeInfra(settings)).files,
    withIt: [{ from: CA, to: "settings/database-ca.pem" }],
    withDefault: [],
  },
  databaseUserArn: {
    given: DATABASE_USER,
    observe: async (settings) => (await observeInfra(settings)).login,
    withIt: [DATABASE_USER],
    withDefault: null,
  },
};

describe("every setting is alive", () => {
  it("has a row in the table", () => {
    expect(Object.keys(ALIVE).toSorted()).toEqual(SETTINGS.map(({ key }) => key).toSorted());
  });

  it.each(SETTINGS.map(({ name, key }) => [name, ALIVE[key]] as const))(
    "%s",
    async (name, { given, observe, withIt, withDefault }) => {
      expect(withIt).not.toEqual(withDefault);
      expect(await observe({})).toEqual(withDefault);
      expect(await observe({ [name]: given })).toEqual(withIt);
    },
    60_000,
  );
});
