/** What an operator types when no process is there: it works on what is in the data folder, and never begins a run. */
import { startRelay, serve } from "@firehose-backfill/testing/firehose/scripted-relay";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { expect, it } from "vitest";
import { commitFrame } from "../support/make-frame.ts";
import { finalSnapshot, runProgram, startProgram, temporaryFolder } from "../support/program.ts";

const DID = "did:plc:aliceaaaaaaaaaaaaaaaaaaa";
const FRAMES = "abcdefgh".split("").map((letter, index) => ({
  seq: index + 1,
  bytes: Buffer.from(
    commitFrame({
      seq: index + 1,
      did: DID,
      rev: `3aaaaaaaaa${letter}2a`,
      ops: [{ action: "create", path: `a.b.c/${letter}`, record: { letter } }],
    }),
  ),
}));

it("fault 32, fault 33: tune, resume, cancel and redrive without a process, and a start after a success", async () => {
  await using folder = await temporaryFolder();
  await using relay = await startRelay({ onConnect: serve(FRAMES) });
  const env = { RELAY_URL: relay.url, BACKFILL_DATA_DIR: folder.path, BACKFILL_BATCH_SIZE: "1" };
  const ask = async (...argv: string[]) => runProgram(argv, env);
  const status = async (): Promise<Snapshot> => JSON.parse((await ask("status", "--json")).stdout);

  const slow = { ...env, BACKFILL_BATCH_DELAY_MS: "60000" };
  const first = startProgram(["start", "--from", "oldest", "--to", "8"], slow);
  await first.said("Status page: ");
  const page = /Status page: (\S+)/.exec(first.stderr())?.[1] ?? "";
  await expect
    .poll(async () => JSON.parse(await (await fetch(`${page}/status.json`)).text()).processed, { timeout: 20_000 })
    .toBe(1);
  first.child.kill("SIGTERM");
  expect(await first.exited).toBe(143);
  expect(await status()).toMatchObject({ stopped: true, status: "running", verdict: { level: "attention" } });

  const tuned = await ask("tune", "BACKFILL_BATCH_DELAY_MS=0");
  expect([tuned.code, tuned.stdout]).toEqual([0, expect.stringContaining("BACKFILL_BATCH_DELAY_MS 60000 -> 0")]);
  const resumed = await ask("resume", "--until-done", "--json");
  expect(resumed.code).toBe(0);
  const done = finalSnapshot(resumed.stdout);
  expect(done).toMatchObject({ status: "succeeded", processed: 8, asked: { days: -1, from: "oldest" } });

  const redriven = await ask("redrive");
  expect([redriven.code, redriven.stderr]).toEqual([0, expect.stringContaining("It begins no run")]);
  expect((await ask("resume")).stderr).toContain("there is no unfinished run to resume");
  const cancel = await ask("cancel");
  expect([cancel.code, cancel.stderr]).toEqual([1, expect.stringContaining("there is no run to cancel")]);
  expect((await status()).runId).toBe(done.runId);

  const again = startProgram(["run"], env);
  await again.said(`goes on where run ${done.runId} ended, after sequence number 8`);
  await again.said("Status page: ");
  again.child.kill("SIGTERM");
  await again.exited;
  expect([(await ask("cancel")).code, (await ask("resume")).code]).toEqual([0, 1]);
}, 180_000);
