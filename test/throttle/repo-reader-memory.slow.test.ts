/** What the reader over repositories takes: as built JavaScript, with the flags of a function and the real clients of table and queue. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { ensureTable } from "@firehose-backfill/testing/checkpoint/create-table";
import { createDynamoClient } from "@firehose-backfill/checkpoint/dynamo-client";
import { startQueueServer } from "@firehose-backfill/embedded/queue-server";
import { startTableServer } from "@firehose-backfill/embedded/table-server";
import { startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { startFakePlc } from "@firehose-backfill/testing/repos/fake-plc";
import { makeRepo, manyRecords } from "@firehose-backfill/testing/repos/test-repo";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { buildChild } from "./build-child.ts";
import type { RepoReaderFigures, RepoReaderTask } from "./repo-reader-child.ts";

const COLLECTIONS = ["app.bsky.feed.like", "app.bsky.feed.post", "app.bsky.feed.repost", "app.bsky.graph.follow"];
const LIMIT_MB = 128;
/** Between two runs over the same repository. */
const NOISE_MB = 8;
/** What infra/function.ts gives a reader with the default memory limit. Without the second one it takes 154 MB on a machine with much memory: garbage lies longer. */
const NODE_FLAGS = ["--max-semi-space-size=4", "--max-old-space-size=512"];

let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder();
  await buildChild("test/throttle/repo-reader-child.ts", join(folder.path, "repo-reader.mjs"));
}, 60_000);

afterAll(() => folder[Symbol.asyncDispose]());

async function measure(records: number): Promise<RepoReaderFigures> {
  const repo = makeRepo(withText(manyRecords(records, COLLECTIONS)));
  await using pds = await startFakePds([repo]);
  await using plc = await startFakePlc();
  plc.put(repo, pds.origin);
  await using queue = await startQueueServer({ dataDir: join(folder.path, `queue-${records}`) });
  await using table = await startTableServer({ dataDir: join(folder.path, `table-${records}`) });
  const client = createDynamoClient({ endpoint: table.endpoint });
  await ensureTable(client, "memory");
  client.destroy();
  const task: RepoReaderTask = {
    plcUrl: plc.origin,
    did: repo.did,
    table: "memory",
    tableEndpoint: table.endpoint,
    queueUrl: queue.queueUrl,
    dlqUrl: queue.dlqUrl,
    queueEndpoint: queue.endpoint,
  };
  const args = [...NODE_FLAGS, join(folder.path, "repo-reader.mjs"), JSON.stringify(task)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}

/** A typical record of the network is about 225 bytes long. */
function withText(records: Record<string, unknown>): Record<string, unknown> {
  const text = "words ".repeat(17);
  return Object.fromEntries(
    Object.entries(records).map(([key, record], index) => [
      key,
      { ...Object(record), text: `record ${index}: ${text}`, createdAt: "2025-02-06T01:05:06.528Z", langs: ["en"] },
    ]),
  );
}

test("issue 15: the reader of a repository of 100,000 records takes less than 128 MB, and of 300,000 no more", async () => {
  const some = await measure(100_000);
  expect(some.received).toBe(100_000);
  expect(some.mostMb).toBeLessThan(LIMIT_MB);
  const many = await measure(300_000);
  expect(many.received).toBe(300_000);
  expect(many.mostMb).toBeLessThan(LIMIT_MB);
  expect(many.mostMb).toBeLessThan(some.mostMb + NOISE_MB);
}, 600_000);
