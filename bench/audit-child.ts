/** An audit of whole repositories in a process of its own, without a pace: what it found, its CPU and its largest rss, as one line of JSON. */
import { readFileSync } from "node:fs";
import { auditCopy } from "@firehose-backfill/audit/audit-copy";
import { createReadPace } from "@firehose-backfill/audit/read-pace";
import { systemClock } from "@firehose-backfill/core/clock";
import { openDidClient } from "@firehose-backfill/repos/did-client";
import { hostTable } from "@firehose-backfill/repos/http/host-table";
import { createPoliteClient } from "@firehose-backfill/repos/http/polite-client";
import { systemNames } from "@firehose-backfill/repos/http/system-names";
import { createRepoClient } from "@firehose-backfill/repos/xrpc/repo-client";
import { openSink } from "@firehose-backfill/sink-postgres/open-sink";

export interface AuditLane {
  readonly databaseUrl: string;
  readonly plcUrl: string;
  /** null: all that are in the copy. */
  readonly did: string | null;
}

const lane = JSON.parse(process.argv[2] ?? "null") as AuditLane;
const clock = systemClock;
const random = Math.random;
const startedMs = performance.now();
const startedCpu = process.cpuUsage();
await using copy = openSink(lane.databaseUrl).openCopy({ clock, throttleQuery: null });
const common = { clock, random, userAgent: "bench/1", resolveName: systemNames };
using directory = openDidClient({ ...common, plcUrl: lane.plcUrl });
using hosts = createPoliteClient({
  ...common,
  rules: { allowLoopback: true },
  requestsPerSecond: 1e6,
  states: hostTable(10),
  maxWaitMs: 1_000,
});
const report = await auditCopy({
  clock,
  random,
  copy,
  pace: createReadPace({ clock, health: () => copy.health(), rowsPerSecond: 1e9, onWaiting: () => undefined }),
  resolveDid: directory.resolveDid,
  earlierKeys: directory.earlierKeys,
  repos: createRepoClient(hosts),
  repositories: lane.did === null ? { kind: "all" } : { kind: "named", dids: [lane.did] },
  collections: [],
  after: null,
  onProgress: () => undefined,
  signal: new AbortController().signal,
});
const { user, system } = process.cpuUsage(startedCpu);
const { audited, equal } = report;
console.log(
  JSON.stringify({
    audited,
    equal,
    seconds: Math.round(performance.now() - startedMs) / 1_000,
    cpuSeconds: Math.round((user + system) / 1_000) / 1_000,
    rssMb: Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0) / 1_024),
  }),
);
process.exit(0);
