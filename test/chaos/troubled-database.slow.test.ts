/**
 * The campaign on a database in trouble: a pooler before it breaks connections and answers XX000, transactions are ended by
 * transaction_timeout, and a trigger of the user raises. Kills beside it. Nothing is lost, nothing is dead that need not be.
 */
import { startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { openSink } from "@firehose-backfill/sink-postgres/open-sink";
import { expect, test } from "vitest";
import { startPooler } from "../support/pooler.ts";
import { temporaryFolder } from "../support/program.ts";
import { openTestDatabase } from "../support/query.ts";
import { seeded } from "../simulation/simulate.ts";
import { runCampaign } from "./campaign.ts";
import { type Life, sleep } from "./life.ts";
import { at, hit } from "./short-campaign.ts";

const UP_MS = 4_000;
const DOWN_MS = 1_500;
const LOOK_EVERY_MS = 20;
/** The trigger raises what a database in trouble would, now and then: for no row in particular, so that none may die of it. */
const TRIGGER = `CREATE FUNCTION public.moody() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
  IF random() < 0.01 THEN RAISE EXCEPTION 'no mood for it' USING ERRCODE = '55000'; END IF;
  IF random() < 0.005 THEN PERFORM pg_sleep(2); END IF;
  RETURN NULL; END $f$`;

test("killed, with a pooler that answers XX000, transaction_timeout and a trigger that raises", async () => {
  await using folder = await temporaryFolder();
  await using postgres = await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true });
  await openSink(postgres.databaseUrl).migrate();
  await using admin = await openTestDatabase(postgres.databaseUrl);
  await admin.query("ALTER DATABASE postgres SET transaction_timeout = '1s'", []);
  await admin.query(TRIGGER, []);
  await admin.query("CREATE TRIGGER moody AFTER INSERT ON firehose.records EXECUTE FUNCTION public.moody()", []);
  await using pooler = await startPooler(postgres.databaseUrl);
  const stop = new AbortController();
  let life: Life | null = null;
  // A start that finds the database away ends with an error, which is another test. Here it goes away while a run is on.
  const isAtWork = () => life !== null && !life.isOver() && life.log().includes("Status page");
  const moods = (async () => {
    while (!stop.signal.aborted) {
      await sleep(UP_MS);
      if (!isAtWork()) continue;
      pooler.down("XX000", "server login has been failing, try again later");
      const upAt = performance.now() + DOWN_MS;
      while (isAtWork() && performance.now() < upAt) await sleep(LOOK_EVERY_MS);
      pooler.up();
    }
  })();
  try {
    const kills = ["after-commit", "program"];
    const result = await runCampaign({
      folder: folder.path,
      plans: [at("after-commit", 5), hit("program", 300)],
      kills: kills.length,
      copies: 1,
      seed: "trouble",
      random: seeded(1),
      settings: { BACKFILL_BATCH_SIZE: "50", BACKFILL_BATCH_DELAY_MS: "0", BACKFILL_MAX_CONCURRENT: "2" },
      database: { databaseUrl: pooler.databaseUrl, directUrl: postgres.databaseUrl },
      onLife: (begun) => (life = begun),
    });
    expect(result.differences).toEqual([]);
    expect(pooler.refused()).toBeGreaterThan(0);
    expect(result.final.queue).toMatchObject({ deadLetters: 0 });
  } finally {
    stop.abort();
    await moods;
  }
}, 900_000);
