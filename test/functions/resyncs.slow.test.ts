/** Resyncs on the functions, each with its policy around it: control places a request, the schedule's reader serves it, the consumer applies it. */
import { cidToText } from "@firehose-backfill/core/cid";
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { startFakePlc } from "@firehose-backfill/testing/repos/fake-plc";
import { afterAll, beforeAll, expect, it } from "vitest";
import { seeded } from "../simulation/simulate.ts";
import { livingRepo } from "../support/living-repo.ts";
import { steppingRepo } from "../support/stepping-repo.ts";
import { type Services, startServices } from "./stage.ts";

let services: Services;
beforeAll(async () => {
  services = await startServices();
}, 120_000);
afterAll(() => services[Symbol.asyncDispose]());

it("issue 16.2: a request that control takes is served by the schedule, beside the relay's run, with no right that the policies do not give", async () => {
  const startMs = Date.now() - 3_600_000;
  const repo = livingRepo({ did: `did:plc:${"a".repeat(24)}`, count: 60, timeMs: startMs, random: seeded(4) });
  const other = steppingRepo(`did:plc:${"b".repeat(24)}`, [{ action: "create", path: "a.b.c/3kaaaaaaaaa22" }], startMs);
  await using pds = await startFakePds([repo.now()]);
  await using plc = await startFakePlc();
  plc.put(repo.now(), pds.origin);
  await using relay = await startReplayRelay({ frames: [other.frame(0, 1)] });
  await using stage = await services.newStage({
    name: "resyncs",
    relayUrl: relay.url,
    settings: {
      BACKFILL_DAYS: "-1",
      BACKFILL_PLC_URL: plc.origin,
      BACKFILL_BATCH_SIZE: "50",
      BACKFILL_BATCH_DELAY_MS: "0",
    },
  });
  await using _ = stage.consume();
  expect(await stage.ask({ action: "resync", dids: [repo.did] })).toMatchObject({
    ok: true,
    message: expect.stringContaining("1 repository requested"),
  });
  const wrong = await stage.ask({ action: "resync", dids: ["no DID"] });
  expect(wrong).toMatchObject({ ok: false, message: expect.stringContaining("which is no DID") });
  await stage.tick();
  const begun = (await stage.store.openRuns()).map(({ name, source }) => `${name ?? "-"} ${source.kind}`);
  expect(begun).toEqual(["- relay", "resync repos"]);
  const asked = await stage.ask({ action: "resyncs" });
  expect(asked).toMatchObject({
    ok: true,
    resyncs: { requests: [{ did: repo.did, reason: "operator", state: "reading" }] },
  });
  for (let ticks = 0; ticks < 100 && (await stage.store.openRuns()).length > 0; ticks += 1) await stage.tick();
  expect(await stage.ask({ action: "resyncs" })).toMatchObject({ ok: true, resyncs: { done: 1, requests: [] } });
  expect((await stage.snapshot()).resyncs).toEqual({ count: 0, done: 1, first: [] });
  const rows = await stage.database.query(
    `select collection || '/' || rkey as key, cid from firehose.records where did = '${repo.did}' and cid is not null order by 1`,
    [],
  );
  const held = repo.now().records.map(({ key, cid }) => ({ key, cid: cidToText(cid) }));
  expect(rows).toEqual(held.toSorted((a, b) => (a.key < b.key ? -1 : 1)));
}, 180_000);
