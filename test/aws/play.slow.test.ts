/** The test on AWS, played on this machine: the functions run on the local host, and SST's command makes nothing. */
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { expect, test } from "vitest";
import { type Stage, startServices } from "../functions/stage.ts";
import { pdsFrames } from "../support/recordings.ts";
import { play } from "./play.ts";

/** What `firehose-backfill … --function NAME` calls: Lambda's Invoke. */
async function serveInvoke(stage: Stage) {
  const server = createServer((request, response) => {
    const answer = async () => {
      const event: unknown = JSON.parse((await buffer(request)).toString("utf8"));
      const { body, error } = await stage.functions.control.invoke(event);
      if (error !== null) response.setHeader("x-amz-function-error", "Unhandled");
      response.end(body ?? JSON.stringify({ errorMessage: error }));
    };
    answer().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Ticks and deliveries, as schedule and mapping have them, only sooner. */
function work(stage: Stage): AsyncDisposable {
  const over = new AbortController();
  const mapping = stage.consume();
  const ticking = (async () => {
    while (!over.signal.aborted) {
      await stage.tick();
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      await ticking;
      await mapping[Symbol.asyncDispose]();
    },
  };
}

test("issue 18.2: the test on AWS deploys, runs, compares and removes, and finds a row that differs", async () => {
  const log = resealedLog({
    frames: pdsFrames().slice(0, 300),
    copies: 1,
    seed: "aws",
    firstTimeMs: Date.now() - 3_600_000,
  });
  await using relay = await startReplayRelay({ frames: log });
  await using services = await startServices();
  for (const isSpoiled of [false, true]) {
    const name = isSpoiled ? "spoiled" : "sound";
    const settings = { BACKFILL_DAYS: "0", BACKFILL_BATCH_SIZE: "50", BACKFILL_BATCH_DELAY_MS: "0" };
    await using stage = await services.newStage({ name, relayUrl: relay.url, settings });
    await using lambda = await serveInvoke(stage);
    await using _ = work(stage);
    const called: string[] = [];
    const said: string[] = [];
    const playing = play({
      stage: name,
      relayUrl: relay.url,
      databaseUrl: stage.databaseUrl,
      collections: null,
      from: "oldest",
      to: String(log.headSeq),
      env: {
        AWS_ENDPOINT_URL_LAMBDA: lambda.url,
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
      },
      sst: async (args) => void called.push(args.filter((arg) => !arg.startsWith("postgres")).join(" ")),
      say: (line) => {
        said.push(line);
        if (isSpoiled && line.includes("events applied"))
          return void stage.database.query(
            "delete from firehose.records where ctid in (select ctid from firehose.records limit 1)",
            [],
          );
      },
      lookEveryMs: 200,
      atMostMs: 150_000,
    });
    const outcome = await playing.then(() => "sound", String);
    expect(outcome).toMatch(isSpoiled ? /rows differ: 1 missing on AWS, 0 too many/ : /^sound$/);
    expect(called).toEqual([
      `secret set DatabaseUrl --stage ${name}`,
      `deploy --stage ${name}`,
      `remove --stage ${name}`,
    ]);
    expect(said.some((line) => /ok: \d+ rows, the same/.test(line))).toBe(!isSpoiled);
    expect(await stage.database.query("select to_regnamespace('firehose')::text as there", [])).toEqual([
      { there: null },
    ]);
  }
}, 500_000);
