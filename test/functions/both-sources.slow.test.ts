/** A deployment with BACKFILL_SOURCE=both: its schedule begins the relay's run and the one over repositories, with nobody's help. */
import { newRun } from "@firehose-backfill/backfill/new-run";
import { configsOf } from "@firehose-backfill/backfill/repos-run";
import { cidToText } from "@firehose-backfill/core/cid";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { type ReplayRelay, startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { startFakePlc } from "@firehose-backfill/testing/repos/fake-plc";
import { afterAll, beforeAll, expect, it } from "vitest";
import { seeded } from "../simulation/simulate.ts";
import { framesOf, livingRepo } from "../support/living-repo.ts";
import { type Services, startServices } from "./stage.ts";

let services: Services;
let relay: ReplayRelay;

beforeAll(async () => {
  services = await startServices();
}, 120_000);

afterAll(async () => {
  await relay[Symbol.asyncDispose]();
  await services[Symbol.asyncDispose]();
});

it("issue 15.4: the schedule's first tick begins both runs, both succeed, and later ticks begin none", async () => {
  const startMs = Date.now() - 3_600_000;
  const repo = livingRepo({ did: `did:plc:${"a".repeat(24)}`, count: 60, timeMs: startMs, random: seeded(4) });
  await using pds = await startFakePds([repo.now()]);
  await using plc = await startFakePlc();
  plc.put(repo.now(), pds.origin);
  const commits = Array.from({ length: 20 }, (_, index) => ({
    did: repo.did,
    ...repo.write(startMs + (index + 1) * 60_000),
  }));
  pds.repos.set(repo.did, repo.now());
  relay = await startReplayRelay({ frames: framesOf(commits) });
  await using stage = await services.newStage({
    name: "bothsources",
    relayUrl: relay.url,
    settings: {
      BACKFILL_SOURCE: "both",
      BACKFILL_DAYS: "-1",
      BACKFILL_DIDS: repo.did,
      BACKFILL_PLC_URL: plc.origin,
      BACKFILL_BATCH_SIZE: "50",
      BACKFILL_BATCH_DELAY_MS: "0",
    },
  });
  await using _ = stage.consume();
  await stage.tick();
  const begun = (await stage.store.openRuns()).map(({ runId, source }) => ({ runId, kind: source.kind }));
  expect(begun.map(({ kind }) => kind).toSorted()).toEqual(["relay", "repos"]);
  for (let ticks = 0; ticks < 100 && (await stage.store.openRuns()).length > 0; ticks += 1) await stage.tick();
  for (const { runId } of begun) expect((await stage.store.getRun(runId))?.status).toBe("succeeded");
  await stage.tick();
  expect(await stage.store.openRuns()).toEqual([]);

  const rows = await stage.database.query(
    "select collection || '/' || rkey as key, cid from firehose.records where cid is not null order by 1",
    [],
  );
  expect(rows).toEqual(
    repo
      .now()
      .records.map(({ key, cid }) => ({ key, cid: cidToText(cid) }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1)),
  );
}, 180_000);

it("issue 15.4: a first tick that ended between the two runs is completed by the next one", async () => {
  const repo = livingRepo({ did: `did:plc:${"b".repeat(24)}`, count: 3, timeMs: Date.now(), random: seeded(5) });
  await using pds = await startFakePds([repo.now()]);
  await using plc = await startFakePlc();
  plc.put(repo.now(), pds.origin);
  const settings = {
    BACKFILL_SOURCE: "both",
    BACKFILL_DAYS: "-1",
    BACKFILL_DIDS: repo.did,
    BACKFILL_PLC_URL: plc.origin,
  };
  await using own = await startReplayRelay({ frames: framesOf([{ did: repo.did, ...repo.write(Date.now()) }]) });
  await using stage = await services.newStage({ name: "cutshort", relayUrl: own.url, settings });
  const config = parseConfig({ RELAY_URL: own.url, ...settings });
  const [first] = configsOf(config).map((each) => newRun(each, { runId: "first", nowMs: Date.now() }));
  if (first === undefined) throw new Error("no run");
  await stage.store.createRun(first);
  await stage.tick();
  const begun = await stage.store.openRuns();
  expect(begun.map(({ source }) => source.kind).toSorted()).toEqual(["relay", "repos"]);
  // The relay's run has nothing of this account and may be over: no other one begins.
  await stage.tick();
  const open = (await stage.store.openRuns()).map(({ runId }) => runId);
  expect(begun.map(({ runId }) => runId)).toEqual(expect.arrayContaining(open));
}, 120_000);
