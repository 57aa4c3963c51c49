/** The bundled sample at the highest level of BACKFILL_VERIFY, with the keys that its accounts had when it was recorded. */
import { readFileSync } from "node:fs";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { parseMultikey } from "@firehose-backfill/core/public-key";
import { startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { runServer } from "@firehose-backfill/server/run-server";
import { expect, it } from "vitest";
import { temporaryFolder } from "../support/program.ts";

const KEYS = new URL("../../packages/embedded/fixtures/sample-keys.json", import.meta.url);

it("issue 17.11: each signature of the sample verifies, and no commit or operation is missing", async () => {
  const keys = new Map<string, string>(Object.entries(JSON.parse(readFileSync(KEYS, "utf8"))));
  await using folder = await temporaryFolder();
  await using postgres = await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true });
  const config = parseConfig({
    RELAY_URL: "sample",
    DATABASE_URL: postgres.databaseUrl,
    BACKFILL_DATA_DIR: `${folder.path}/data`,
    BACKFILL_VERIFY: "inversion",
    BACKFILL_BATCH_DELAY_MS: "0",
    BACKFILL_BATCH_SIZE: "100",
    BACKFILL_MAX_MEMORY_MB: "4096",
    PORT: "0",
  });
  const asked = new Set<string>();
  const { exit, snapshot } = await runServer({
    config,
    configure: () => config,
    untilDone: true,
    consumers: "in-process",
    start: { from: "oldest", isNew: false, isDryRun: false },
    onSnapshot: () => {},
    log: () => {},
    stop: new AbortController().signal,
    resolveKey: async (did) => {
      asked.add(did);
      const key = keys.get(did);
      return key === undefined ? null : parseMultikey(key.replace("did:key:", ""));
    },
  });
  expect({ exit, dead: snapshot?.dead, resyncs: snapshot?.resyncs.count }).toEqual({
    exit: "done",
    dead: 0,
    resyncs: 0,
  });
  expect(asked).toEqual(new Set(keys.keys()));
}, 120_000);
