/** BACKFILL_AUDIT_SAMPLE as a deploy has it: a schedule calls the control function, within its rights and its time. */
import { startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { startFakePlc } from "@firehose-backfill/testing/repos/fake-plc";
import { makeRepo, manyRecords } from "@firehose-backfill/testing/repos/test-repo";
import { afterAll, beforeAll, expect, it } from "vitest";
import { didOf } from "../audit/network.ts";
import { type Services, startServices } from "./stage.ts";

const AUDIT = { action: "audit" };

let services: Services;

beforeAll(async () => {
  services = await startServices();
}, 120_000);

afterAll(async () => {
  await services[Symbol.asyncDispose]();
});

it("issue 16.4: after a run that succeeded one sample is audited, with the rights of the control function", async () => {
  const repos = [40, 3, 90, 12].map((size, index) => makeRepo(manyRecords(size, ["a.b.c"]), { did: didOf(index) }));
  await using pds = await startFakePds(repos);
  await using plc = await startFakePlc();
  for (const repo of repos) plc.put(repo, pds.origin);
  await using stage = await services.newStage({
    name: "audited",
    relayUrl: "ws://127.0.0.1:1",
    settings: {
      BACKFILL_SOURCE: "repos",
      BACKFILL_DIDS: repos.map(({ did }) => did).join(","),
      BACKFILL_PLC_URL: plc.origin,
      BACKFILL_HOST_RATE: "8",
      BACKFILL_BATCH_SIZE: "50",
      BACKFILL_BATCH_DELAY_MS: "0",
      BACKFILL_AUDIT_SAMPLE: "4",
    },
  });
  const audit = async () => {
    const { outcome, body } = await stage.functions.control.invoke(AUDIT);
    return [outcome, JSON.parse(body ?? "null")];
  };
  expect(await audit()).toEqual(["response", { message: "no run has succeeded yet" }]);
  await using _ = stage.consume();
  await stage.tick();
  expect(await audit()).toEqual(["response", { message: "a run is open: the audit waits until none is" }]);
  await stage.tickUntilOver();
  const run = await stage.store.currentRun();

  await stage.database.query(
    "delete from firehose.records where did = $1 and rkey = (select min(rkey) from firehose.records where did = $1)",
    [didOf(2)],
  );
  const found = "Audit: 3 equal, 0 behind, 1 differing, 0 unreachable, 0 inactive";
  expect(await audit()).toEqual(["response", { message: found }]);
  expect(await audit()).toEqual(["response", { message: `the sample after run ${run?.runId} is audited already` }]);
  const { snapshot } = { snapshot: null, ...(await stage.ask({ action: "status" })) };
  expect(snapshot).toMatchObject({
    audit: { by: "a run", repos: "sample", equal: 3, differing: 1, confidence: { of: 4, sampled: 4 } },
    verdict: { level: "attention" },
  });

  // A result that somebody sends from a machine of their own replaces it.
  const { audit: last } = snapshot ?? { audit: null };
  const { at: _at, ...rest } = last ?? { at: "" };
  const database = run?.database?.id ?? "unknown";
  expect(
    await stage.ask({ action: "audited", database, audit: { ...rest, atMs: 1_000, by: "command" } }),
  ).toMatchObject({
    ok: true,
    snapshot: { audit: { at: "1970-01-01T00:00:01.000Z", by: "command", differing: 1 } },
  });
}, 180_000);
