/** What settings of repositories change: what a run reads, which directory is asked, and how fast a host is asked. */
import { newRun } from "@firehose-backfill/backfill/new-run";
import { systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { openDidClient } from "@firehose-backfill/repos/did-client";
import { startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { startFakePlc } from "@firehose-backfill/testing/repos/fake-plc";
import { newStoredRun, readAll, testKit } from "@firehose-backfill/testing/repos/reading";
import { ALICE, makeRepo, manyRecords } from "@firehose-backfill/testing/repos/test-repo";

type Settings = Readonly<Record<string, string>>;

/** Kind and start of the run that is begun. */
export async function observeSource(settings: Settings): Promise<readonly [string, string]> {
  const { source, start } = newRun(parseConfig({ BACKFILL_DIDS: ALICE, ...settings }), { runId: "run", nowMs: 0 });
  return [source.kind, start.kind];
}

/** The host that is looked up to find an account. */
export async function observeDirectory(settings: Settings): Promise<string | null> {
  let asked: string | null = null;
  const resolveName = (hostname: string) => {
    asked = hostname;
    return Promise.reject(new Error("no network in tests"));
  };
  const { plcUrl } = parseConfig(settings).settings;
  using client = openDidClient({ clock: systemClock, random: () => 0, userAgent: "test/1", resolveName, plcUrl });
  await client.resolveDid(ALICE).catch(() => null);
  return asked;
}

/** Requests a second that one host gets: 2 or 8, whichever is nearer. */
export async function observeHostRate(settings: Settings): Promise<number> {
  const repo = makeRepo(manyRecords(60, ["app.bsky.feed.post"]));
  await using plc = await startFakePlc();
  await using pds = await startFakePds([repo]);
  plc.put(repo, pds.origin);
  const times: number[] = [];
  pds.intercept = () => (times.push(Date.now()), false);
  const { hostRate } = parseConfig(settings).settings;
  await readAll(testKit({ plcUrl: plc.origin, hostRate }), newStoredRun(), { env: { BACKFILL_DIDS: repo.did } });
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  const perSecond = 1_000 / (gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length);
  return Math.abs(perSecond - 2) < Math.abs(perSecond - 8) ? 2 : 8;
}
