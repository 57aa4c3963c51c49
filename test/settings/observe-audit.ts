/** What settings of the directory and of the accounts' hosts do to an audit. */
import { paceIdOf } from "@firehose-backfill/checkpoint/pace-id";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { systemClock } from "@firehose-backfill/core/clock";
import { auditAfterRun } from "../../packages/server/src/audit-after-run.ts";
import { auditHere } from "@firehose-backfill/server/audit-here";
import { openSink } from "@firehose-backfill/sink-postgres/open-sink";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { makeRepo } from "@firehose-backfill/testing/repos/test-repo";
import { query } from "@firehose-backfill/testing/sink/rows";
import { didOf, startNetwork } from "../audit/network.ts";

type Settings = Readonly<Record<string, string>>;

async function audit(databaseUrl: string, settings: Settings, dids: readonly string[]) {
  await openSink(databaseUrl).migrate();
  return await auditHere({
    config: parseConfig({ DATABASE_URL: databaseUrl, RELAY_URL: "sample", ...settings }),
    repositories: { kind: "named", dids },
    collections: [],
    after: null,
    clock: systemClock,
    random: Math.random,
    onProgress: () => undefined,
    onWaiting: () => undefined,
    signal: new AbortController().signal,
  });
}

/** Why an account cannot be looked up there where nobody listens. */
export async function observeDirectory(databaseUrl: string, settings: Settings): Promise<string> {
  const { repos } = await audit(databaseUrl, settings, [didOf(0)]);
  return repos[0]?.reason ?? "";
}

/** Requests a second to one host, on average. */
export async function observeHostRate(databaseUrl: string, settings: Settings): Promise<number> {
  const repos = Array.from({ length: 4 }, (_, index) => makeRepo({ "a.b.c/d": {} }, { did: didOf(index) }));
  await using network = await startNetwork(repos);
  const times: number[] = [];
  network.pds.intercept = () => {
    times.push(performance.now());
    return false;
  };
  const dids = repos.map(({ did }) => did);
  await audit(databaseUrl, { BACKFILL_PLC_URL: network.directory.origin, ...settings }, dids);
  const [first = 0] = times;
  return ((times.length - 1) * 1_000) / ((times.at(-1) ?? 0) - first);
}

/** How many repositories were audited after a run; null: no audit was made. */
export async function observeAuditAfterRun(databaseUrl: string, settings: Settings): Promise<number | null> {
  const repos = Array.from({ length: 3 }, (_, index) => makeRepo({}, { did: didOf(index) }));
  await using network = await startNetwork(repos);
  const sink = openSink(databaseUrl);
  await sink.migrate();
  const { id } = await sink.identity();
  await query(
    databaseUrl,
    `INSERT INTO firehose.repos (did, rev, updated_at) VALUES ('${didOf(0)}', '${repos[0]?.rev}', now()) ON CONFLICT DO NOTHING`,
  );
  const store = createMemoryStore();
  await auditAfterRun({
    settings: parseConfig({ RELAY_URL: "sample", BACKFILL_PLC_URL: network.directory.origin, ...settings }).settings,
    store,
    sink,
    clock: systemClock,
    random: Math.random,
    log: () => undefined,
    signal: new AbortController().signal,
  });
  const last = await store.getAudit(paceIdOf(id ?? undefined));
  return last === null ? null : last.equal + last.behind + last.differing + last.unreachable + last.inactive;
}
