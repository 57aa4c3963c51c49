/**
 * `npm run test:conformance -- --sqs URL --dynamodb URL`: the suites of the queue and of the checkpoint store against any
 * server. For AWS itself the URLs are https://sqs.REGION.amazonaws.com and https://dynamodb.REGION.amazonaws.com; the SDK
 * finds the credentials. Without a URL: against the stand-ins that come with the program. What is made there is removed.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runStep } from "./run-step.ts";

const { values } = parseArgs({ options: { sqs: { type: "string" }, dynamodb: { type: "string" } } });
// Credentials come from the environment or a profile, never from an address of the machine.
process.env["AWS_EC2_METADATA_DISABLED"] = "true";
const region = [values.sqs, values.dynamodb].map((url) => /\.([a-z]{2}-[a-z-]+-\d)\./.exec(url ?? "")?.[1]);
process.env["AWS_REGION"] ??= region.find((name) => name !== undefined) ?? "us-east-1";

const standIns = values.sqs === undefined && values.dynamodb === undefined ? await startStandIns() : null;
process.env["CONFORMANCE_SQS"] = values.sqs ?? standIns?.sqs ?? "";
process.env["CONFORMANCE_DYNAMODB"] = values.dynamodb ?? standIns?.dynamodb ?? "";
try {
  const { code } = await runStep("vitest", ["run", "--config", "test/conformance/vitest.config.ts"], {
    isForAws: true,
  });
  process.exitCode = code;
} finally {
  await standIns?.stop();
}

async function startStandIns() {
  const { startQueueServer } = await import("@firehose-backfill/embedded/queue-server");
  const { startTableServer } = await import("@firehose-backfill/embedded/table-server");
  const folder = await mkdtemp(join(tmpdir(), "conformance-"));
  const queue = await startQueueServer({ dataDir: join(folder, "queue") });
  const table = await startTableServer({ dataDir: join(folder, "table") });
  return {
    sqs: queue.endpoint,
    dynamodb: table.endpoint,
    async stop() {
      await Promise.all([queue[Symbol.asyncDispose](), table[Symbol.asyncDispose]()]);
      await rm(folder, { recursive: true });
    },
  };
}
