/**
 * Dead events without a running process, on the embedded stack: listed, shown, redriven and discarded one by one, and no
 * run is begun.
 */
import { serve, startRelay } from "@firehose-backfill/testing/firehose/scripted-relay";
import { encode } from "@ipld/dag-cbor";
import { expect, it } from "vitest";
import { commitFrame, type OpSpec } from "../support/make-frame.ts";
import { runProgram, temporaryFolder } from "../support/program.ts";

const DID = "did:plc:aliceaaaaaaaaaaaaaaaaaaa";
const OPS: readonly OpSpec[] = [
  { action: "create", path: "a.b.c/fine", record: { rkey: "fine" } },
  { action: "create", path: "a.b.c/nul-1", block: encode({ text: "a\0b" }) },
  { action: "create", path: "a.b.c/nul-2", block: encode({ text: "c\0d" }) },
];
const FRAMES = OPS.map((op, n) => ({
  seq: n + 1,
  bytes: Buffer.from(commitFrame({ seq: n + 1, did: DID, rev: `3aaaaaaaaa${"abc"[n] ?? ""}2a`, ops: [op] })),
}));

it("issue 17.4: dead, redrive --id and discard work without a process and begin no run", async () => {
  await using folder = await temporaryFolder();
  await using relay = await startRelay({ onConnect: serve(FRAMES) });
  const env = {
    RELAY_URL: relay.url,
    BACKFILL_DATA_DIR: `${folder.path}/data`,
    BACKFILL_BATCH_SIZE: "3",
    BACKFILL_BATCH_DELAY_MS: "0",
    PORT: "0",
  };
  const range = ["--from", "oldest", "--to", String(FRAMES.length)];
  expect((await runProgram(["start", ...range, "--until-done"], env)).code).toBe(3);
  const connections = relay.attempts();

  const listed = await runProgram(["dead", "--json"], env);
  expect(listed.code).toBe(0);
  const found: { id: string; runId: string; path: string }[] = listed.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const [one, two] = found;
  expect(found).toMatchObject([
    { path: "a.b.c/nul-1", reason: "nul-character", canBeRedriven: true, event: { record: { bytes: 10 } } },
    { path: "a.b.c/nul-2", reason: "nul-character", redrivenAt: null, appliedAt: null },
  ]);

  // It is bad in itself, so it stays dead.
  const redriven = await runProgram(["redrive", "--id", one?.id ?? ""], env);
  expect([redriven.code, redriven.stdout]).toEqual([3, expect.stringContaining(`dead event ${one?.id} is back`)]);
  const shown = await runProgram(["dead", "--id", one?.id ?? ""], env);
  expect(JSON.parse(shown.stdout)).toMatchObject({ id: one?.id, appliedAt: null, redrivenAt: expect.any(String) });

  const byReason = await runProgram(["redrive", "--reason", "nul-character"], env);
  expect([byReason.code, byReason.stdout]).toEqual([
    3,
    expect.stringContaining("2 dead events with the reason nul-character are back in the queue"),
  ]);
  const noReason = await runProgram(["redrive", "--reason", "float"], env);
  expect([noReason.code, noReason.stderr]).toEqual([1, expect.stringContaining("no dead event has the reason float")]);

  expect((await runProgram(["discard", "--id", two?.id ?? ""], env)).stdout).toContain("1 dead event is discarded");
  const again = await runProgram(["discard", "--id", two?.id ?? ""], env);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("no dead event has the id")]);
  expect((await runProgram(["dead"], env)).stderr).toContain("1 dead: nul-character 1");
  expect((await runProgram(["discard", "--reason", "nul-character"], env)).stdout).toContain(
    "1 dead event is discarded",
  );
  expect((await runProgram(["dead"], env)).stderr).toContain("No event is dead.");
  expect(relay.attempts()).toBe(connections);
}, 120_000);
